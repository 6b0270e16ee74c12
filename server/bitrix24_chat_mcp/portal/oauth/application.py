"""Signing in with Bitrix24, without I/O: what is asked of its pages, and what their answers mean.

An application sends the user to the portal's authorization page, gets a code that lives 30 seconds, and
exchanges it at Bitrix24's OAuth server for a pair of tokens. The access token lives an hour; the refresh
token buys the next pair, once: whoever uses it twice is told `invalid_grant`.
"""

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import msgspec

from bitrix24_chat_mcp.portal.api.credentials import is_loopback
from bitrix24_chat_mcp.portal.api.errors import ConfigurationError, InvalidResponseError
from bitrix24_chat_mcp.portal.api.known_secrets import known
from bitrix24_chat_mcp.portal.api.lenient_json import decode, user_number
from bitrix24_chat_mcp.portal.api.rest import HttpResponse, api_error

# The licence regions whose portals Bitrix24 serves from there; a portal's name ends in its region.
_EASTERN = re.compile(r"\.bitrix24\.(ru|by|kz|am|az|ge|kg|uz)$")
Form = dict[str, str]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Application:
    """A local application of a portal, as Bitrix24 knows it. `server` is the origin of the OAuth server."""

    portal: str
    client_id: str
    client_secret: str = field(repr=False)
    server: str

    def __post_init__(self) -> None:
        known.register(self, self.client_secret)

    @property
    def token_address(self) -> str:
        """Where codes and refresh tokens are exchanged."""
        return f"{self.server}/oauth/token/"

    def page(self, state: str, redirect_uri: str | None) -> str:
        """Return the address of the page on which a user lets the application act for them.

        Without `redirect_uri` the page, or the application's own address, shows the code.
        """
        asked = {"client_id": self.client_id, "response_type": "code", "state": state}
        if redirect_uri:
            asked["redirect_uri"] = redirect_uri
        return f"{self.portal}/oauth/authorize/?{urlencode(asked)}"

    def for_code(self, code: str, redirect_uri: str | None) -> Form:
        """Return the form that buys the first pair."""
        form = self._form("authorization_code") | {"code": code}
        return form | {"redirect_uri": redirect_uri} if redirect_uri else form

    def for_renewal(self, pair: "TokenPair") -> Form:
        """Return the form that buys the next pair."""
        return self._form("refresh_token") | {"refresh_token": pair.refresh}

    def _form(self, grant: str) -> Form:
        return {"grant_type": grant, "client_id": self.client_id, "client_secret": self.client_secret}


@dataclass(frozen=True, slots=True, weakref_slot=True)
class TokenPair:
    """A user's access and refresh token, and whose they are: the portal's origin and the user's number."""

    portal: str
    user: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)

    def __post_init__(self) -> None:
        known.register(self, self.access, self.refresh)


class OAuthCredentials:
    """Credentials of somebody who has signed in; two are equal if they are the same user's.

    The tokens come and go in `pair`, so that a request already under way travels with the newest. `key`
    is where the store keeps them; `secret` is one of ours that outlives them.
    """

    __slots__ = ("__weakref__", "_secret", "key", "pair")

    def __init__(self, key: str, pair: TokenPair, secret: str = "") -> None:
        self.key = key
        self.pair = pair
        self._secret = secret

    @property
    def portal(self) -> str:
        """The portal's origin."""
        return self.pair.portal

    @property
    def user(self) -> str:
        """The user's number."""
        return self.pair.user

    def address(self, method: str) -> str:
        """Return the address of a method; it holds no secret."""
        return f"{self.portal}/rest/{method}"

    def headers(self) -> dict[str, str]:
        """Return the access token, where no log of addresses finds it."""
        return {"Authorization": f"Bearer {self.pair.access}"}

    def signing_key(self) -> bytes:
        """Return a key of this user's own, the same after each renewal."""
        return blake2b(f"{self.portal} {self.user} {self._secret}".encode(), person=b"seal").digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OAuthCredentials) and (self.portal, self.user) == (other.portal, other.user)

    def __hash__(self) -> int:
        return hash((self.portal, self.user))

    def __repr__(self) -> str:
        return f"SignIn(portal={self.portal!r}, user={self.user!r})"


_Token = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{0,4096}\Z")]
"""A token travels in a header: printable ASCII (RFC 6749, appendix A.12)."""


class _Papers(msgspec.Struct):
    access_token: _Token = ""
    refresh_token: _Token = ""
    client_endpoint: str = ""
    user_id: Any = None
    error: Any = None
    error_description: Any = None


_papers = msgspec.json.Decoder(_Papers)


def parse_token_response(reply: HttpResponse, portal: str, user: str = "") -> TokenPair:
    """Read the OAuth server's answer; raise the error that it tells, whatever the status.

    The answer to a code does not say whose it is: then the pair's user is `user`. A pair of another
    portal than `portal`, or of another user, is refused.
    """
    try:
        papers = decode(reply.body, _papers)
        if papers.error:
            raise api_error(papers.error, papers.error_description)
        named = user if papers.user_id is None else user_number(papers.user_id)
    except ValueError:
        raise _unclear() from None
    if not papers.access_token or not papers.refresh_token or (user and named != user):
        raise _unclear()
    endpoint = papers.client_endpoint.rstrip("/").removesuffix("/rest")
    if endpoint and endpoint != portal:
        raise ConfigurationError(
            "WRONG_PORTAL",
            "The sign-in was made at another portal than this server is for.",
            "Sign in at the right portal, or ask the person who runs this server to check oauth.portal.",
        )
    return TokenPair(portal, named, papers.access_token, papers.refresh_token)


def oauth_server(portal: str) -> str:
    """Return the origin of the OAuth server that is likely the portal's."""
    host = urlsplit(portal).hostname or ""
    return "https://oauth.bitrix24.tech" if _EASTERN.search(host) else "https://oauth.bitrix.info"


def parse_origin(address: str) -> str:
    """Return an address as an origin (a path is kept, a slash at the end is not), or raise ValueError."""
    if not address.isprintable():
        raise ValueError("it is not a web address")
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("it is not a web address") from None
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or parts.username:
        raise ValueError("it does not have the form https://HOST")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("it must begin with https:// (plain http is for loopback addresses only)")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    return f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}"


def _unclear() -> InvalidResponseError:
    return InvalidResponseError(
        "UNCLEAR_ANSWER", "Bitrix24's OAuth server answered with something else than tokens.", "Try again."
    )
