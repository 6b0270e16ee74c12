"""Redirect URIs: which ones a client may register, which ones match, and how users see them."""

import re
from urllib.parse import urlencode

from pydantic import AnyUrl

from bitrix24_chat_mcp.portal.api.credentials import is_loopback

NATIVE_SCHEMES = frozenset(
    {
        "claude",
        "cursor",
        "kiro",
        "lmstudio",
        "raycast",
        "trae",
        "vscode",
        "vscode-insiders",
        "vscodium",
        "warp",
        "windsurf",
        "windsurf-next",
        "zed",
    }
)
"""Schemes of well-known MCP clients, although RFC 8252 asks for one with a domain."""
MOST = 10
MOST_CHARACTERS = 1024
_REVERSE_DOMAIN = re.compile(r"[a-z]{2,24}(\.[a-z0-9][a-z0-9-]*)+")  # RFC 8252 section 7.1: com.example.app
_URI = re.compile(r"[a-z0-9._~:/?\[\]@!$&'()*+,;=%-]+", re.IGNORECASE)  # RFC 3986, without a fragment
_PORTS = {"https": 443, "http": 80}
_RULE = (
    "redirect_uris must be https, http at a loopback address, or a scheme of a native program "
    "(com.example.app, or a known one), and hold no user info and no fragment"
)


def problems(uris: list[AnyUrl] | None) -> str:
    """Return what is wrong with a client's redirect URIs, or an empty text."""
    if not uris or len(uris) > MOST:
        return f"between 1 and {MOST} redirect_uris are needed"
    return next((found for uri in uris if (found := problem(uri))), "")


def problem(uri: AnyUrl) -> str:
    """Return what is wrong with a redirect URI, or an empty text."""
    text = str(uri)
    if len(text) > MOST_CHARACTERS:
        return f"redirect_uris must not be longer than {MOST_CHARACTERS:,} characters"
    if not _URI.fullmatch(text) or uri.username is not None or uri.password is not None:
        return _RULE
    return "" if _is_allowed(uri) else _RULE


def is_same(requested: AnyUrl, registered: AnyUrl) -> bool:
    """Tell whether a requested URI matches a registered one; at a loopback address any port does."""
    if requested == registered:
        return True
    return (
        registered.scheme == "http"
        and not problem(requested)
        and _without_port(requested) == _without_port(registered)
    )


def shown(uri: AnyUrl) -> str:
    """Return scheme, host and port for the user to read; hosts of other scripts in Punycode."""
    port = "" if uri.port in {None, _PORTS.get(uri.scheme)} else f":{uri.port}"
    return f"{uri.scheme}://{uri.host}{port}" if uri.host else f"{uri.scheme}:"


def with_answer(uri: str, answer: dict[str, str | None]) -> str:
    """Add an answer's parameters to a redirect URI, and change nothing else in it."""
    query = urlencode({name: value for name, value in answer.items() if value is not None})
    return f"{uri}{'&' if '?' in uri else '?'}{query}"


def _is_allowed(uri: AnyUrl) -> bool:
    if uri.scheme == "https":
        return bool(uri.host)
    if uri.scheme == "http":
        return is_loopback(_host(uri))
    rooted = uri.host is not None or (uri.path or "").startswith("/")
    return rooted and (uri.scheme in NATIVE_SCHEMES or bool(_REVERSE_DOMAIN.fullmatch(uri.scheme)))


def _without_port(uri: AnyUrl) -> tuple[str | None, ...]:
    return uri.scheme, uri.host, uri.path, uri.query


def _host(uri: AnyUrl) -> str:
    return (uri.host or "").strip("[]")
