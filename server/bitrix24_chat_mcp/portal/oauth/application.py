"""The OAuth protocol of Bitrix24, without I/O: its addresses, its requests, and what its answers mean.

An application sends the user to the portal's authorization page, gets a code that lives 30 seconds, and
exchanges it at Bitrix24's OAuth server for a pair of tokens. The access token lives an hour; the refresh
token is exchanged for the next pair, once: a second use is answered with `invalid_grant`.
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
from bitrix24_chat_mcp.portal.api.lenient_json import decode, text_begins, user_number
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
    def token_url(self) -> str:
        """Where codes and refresh tokens are exchanged."""
        return f"{self.server}/oauth/token/"

    def authorization_url(self, state: str, redirect_uri: str | None) -> str:
        """Return the address of the portal's page on which a user authorizes the application.

        Without `redirect_uri` the page, or the application's own address, shows the code.
        """
        query = {"client_id": self.client_id, "response_type": "code", "state": state}
        if redirect_uri:
            query["redirect_uri"] = redirect_uri
        return f"{self.portal}/oauth/authorize/?{urlencode(query)}"

    def code_request(self, code: str, redirect_uri: str | None) -> Form:
        """Return the token request for an authorization code (RFC 6749 section 4.1.3)."""
        form = self._form("authorization_code") | {"code": code}
        return form | {"redirect_uri": redirect_uri} if redirect_uri else form

    def refresh_request(self, pair: "TokenPair") -> Form:
        """Return the token request for the next pair (RFC 6749 section 6)."""
        return self._form("refresh_token") | {"refresh_token": pair.refresh}

    def _form(self, grant: str) -> Form:
        return {"grant_type": grant, "client_id": self.client_id, "client_secret": self.client_secret}


@dataclass(frozen=True, slots=True, weakref_slot=True)
class TokenPair:
    """A user's access and refresh token, with the portal's origin and the user's number."""

    portal: str
    user: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)

    def __post_init__(self) -> None:
        known.register(self, self.access, self.refresh)


class OAuthCredentials:
    """Credentials of a user who has signed in; two are equal if they are the same user's.

    A refresh replaces `pair`, so that a request already under way is sent with the newest tokens. `key` is
    their key in the store; `secret` is the application's, which stays the same when tokens are refreshed.
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
        """Return the access token; in a header, since addresses are logged."""
        return {"Authorization": f"Bearer {self.pair.access}"}

    def signing_key(self) -> bytes:
        """Return a key of this user's own, the same after each refresh."""
        return blake2b(f"{self.portal} {self.user} {self._secret}".encode(), person=b"seal").digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OAuthCredentials) and (self.portal, self.user) == (other.portal, other.user)

    def __hash__(self) -> int:
        return hash((self.portal, self.user))

    def __repr__(self) -> str:
        return f"OAuthCredentials(portal={self.portal!r}, user={self.user!r})"


_PrintableText = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{0,4096}\Z")]
"""A token travels in a header: printable ASCII (RFC 6749, appendix A.12)."""


class _TokenPayload(msgspec.Struct):
    access_token: _PrintableText = ""
    refresh_token: _PrintableText = ""
    client_endpoint: str = ""
    user_id: Any = None
    error: Any = None
    error_description: Any = None


_decoder = msgspec.json.Decoder(_TokenPayload)


def parse_token_response(response: HttpResponse, portal: str, user: str = "") -> TokenPair:
    """Return the tokens of the OAuth server's answer; raise its error, whatever the status.

    The answer to a code may not name the user: then the pair's user is `user`. A pair of another portal
    than `portal`, or of another user, is refused.
    """
    try:
        payload = decode(text_begins(response.body), _decoder)
        if payload.error:
            raise api_error(payload.error, payload.error_description)
        named = user if payload.user_id is None else user_number(payload.user_id)
    except ValueError:
        raise _unclear() from None
    if not payload.access_token or not payload.refresh_token or (user and named != user):
        raise _unclear()
    endpoint = payload.client_endpoint.rstrip("/").removesuffix("/rest")
    if endpoint and endpoint != portal:
        raise ConfigurationError(
            "WRONG_PORTAL",
            "The sign-in was made at another portal than this server is for.",
            "Sign in at the right portal, or ask the person who runs this server to check oauth.portal.",
        )
    return TokenPair(portal, named, payload.access_token, payload.refresh_token)


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
