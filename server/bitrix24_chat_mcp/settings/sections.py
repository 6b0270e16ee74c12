"""The sections of the settings: `[oauth]`, `[http]` and `[limits]`, with the rules that hold within each."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from bitrix24_chat_mcp.portal.api.credentials import is_loopback
from bitrix24_chat_mcp.portal.api.known_secrets import known
from bitrix24_chat_mcp.portal.oauth.application import Application, oauth_server, parse_origin
from bitrix24_chat_mcp.portal.transport.limits import Limits

_WITHOUT_AUTH = (
    "http.host: only loopback addresses (127.0.0.1, ::1, localhost) without http.auth: this server would "
    "show one user's chats to everybody who can reach it"
)
_WITHOUT_NAME = "http.public_url: it is missing; set it (or http.allowed_hosts) to listen beyond loopback"
_WITHOUT_CALLBACK = "http.public_url: it is missing; whoever signs in must find the way back"
_WITH_PATH = "http.public_url: it has a path; the server needs a name of its own, https://mcp.example.com"
_WITHOUT_PORTALS = "http.portals: it is missing; with webhook-header it lists the portals to call"
_WITHOUT_BEARER = "http.bearer_token: it is missing; with bearer it is what callers must know"
AuthMethod = Literal["bitrix24", "webhook-header", "bearer"]
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_.:\[\]-]+")
_LEAST_SECRET = 32


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError("it is a host's name, such as acme.bitrix24.ru, without https:// and path")
    return name.lower()


def _long_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _LEAST_SECRET:
        raise ValueError(f"it must have {_LEAST_SECRET} characters at least")
    known.register(secret, secret.get_secret_value())
    return secret


def _loopback_url(address: str) -> str:
    """Check an address without changing it: the portal compares redirect addresses letter by letter."""
    if not is_loopback(urlsplit(parse_origin(address)).hostname or ""):
        raise ValueError("it must be a loopback address, such as http://127.0.0.1:8976/")
    return address


def _engine_url(secret: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(secret.get_secret_value())
        usable = parts.scheme in {"valkey", "redis", "rediss"} and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError("it is not an address") from None
    if not usable:
        raise ValueError("it is no address of a host that begins with valkey://, redis:// or rediss://")
    known.register(secret, unquote(parts.password or ""))
    return secret


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | SecretStr) else value


Origin = Annotated[str, AfterValidator(parse_origin)]
HostName = Annotated[str, AfterValidator(_host)]
LongSecret = Annotated[SecretStr, AfterValidator(_long_secret)]
KeyRing = Annotated[tuple[LongSecret, ...], BeforeValidator(_as_list)]
_TABLE = ConfigDict(extra="forbid", frozen=True)


class OAuthSettings(BaseModel):
    """A local application of the portal, with which people sign in."""

    model_config = _TABLE

    portal: Origin | None = Field(default=None, description="The portal's address, https://acme.bitrix24.ru.")
    client_id: str | None = Field(default=None, description="The application's client_id.")
    client_secret: SecretStr | None = Field(default=None, description="Its client_secret; keep it secret.")
    server: Origin | None = Field(
        default=None, description="Bitrix24's OAuth server; by default the one of the portal's region."
    )
    redirect_url: Annotated[str, AfterValidator(_loopback_url)] | None = Field(
        default=None,
        description="Loopback address that `login` listens at, if the application wants a fixed one.",
    )
    store: Literal["auto", "keyring", "file"] = Field(
        default="auto",
        description="Where sign-ins are kept: keyring, file, or auto for the first that works.",
    )

    @model_validator(mode="after")
    def _check_secret(self) -> Self:
        if self.client_id and not self.client_secret:
            raise ValueError("oauth.client_secret: it is missing, beside oauth.client_id")
        return self

    def application(self) -> Application | None:
        """Return the local application, or None if it is not set completely."""
        if not (self.portal and self.client_id and self.client_secret):
            return None
        secret = self.client_secret.get_secret_value()
        return Application(self.portal, self.client_id, secret, self.server or oauth_server(self.portal))


class HttpSettings(BaseModel):
    """How Streamable HTTP is served, and to whom."""

    model_config = _TABLE

    host: str = Field(
        default="127.0.0.1", description="Address to listen at; beyond loopback only with http.auth."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen at; 0 takes a free one.")
    auth: frozenset[AuthMethod] = Field(
        default=frozenset(), description="How callers show who they are: bitrix24, webhook-header, bearer."
    )
    public_url: Origin | None = Field(
        default=None, description="The server's address as clients know it, https://mcp.example.com."
    )
    bearer_token: LongSecret | None = Field(
        default=None, description="For bearer: the token of a server that is one user's own."
    )
    portals: frozenset[HostName] = Field(
        default=frozenset(),
        description="For webhook-header: portals that webhooks may be of, *.bitrix24.ru too.",
    )
    client_hosts: frozenset[HostName] = Field(
        default=frozenset(), description="Hosts inside the network that client metadata may be fetched from."
    )
    allowed_hosts: frozenset[str] = Field(
        default=frozenset(),
        description="Host headers to accept besides loopback and public_url; name:* for any port.",
    )
    allowed_origins: frozenset[str] = Field(
        default=frozenset(),
        description="Web pages' origins that may use the server from a browser, https://app.example.com.",
    )
    trusted_proxies: frozenset[str] = Field(
        default=frozenset(), description="Addresses of proxies whose X-Forwarded headers count."
    )
    max_body_bytes: int = Field(default=1_048_576, ge=1024, description="Largest request that is read.")
    request_seconds: float = Field(
        default=15.0, gt=0, le=600, description="How long a request's head, and then its body, may take."
    )
    max_sessions: int = Field(default=1000, ge=1, description="Sessions at once, of clients that need one.")
    max_sessions_per_caller: int = Field(default=50, ge=1, description="How many of these one user may have.")
    session_idle_seconds: int = Field(default=1800, ge=1, description="How long an idle session is kept.")
    state_key: KeyRing | None = Field(
        default=None,
        description="Seals what clients carry for the server; the same on all its processes. Of several, the "
        "first seals and all open.",
    )

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        beyond = not is_loopback(self.host)
        for wrong, problem in (
            (beyond and not self.auth, _WITHOUT_AUTH),
            (beyond and not (self.public_url or self.allowed_hosts), _WITHOUT_NAME),
            ("bitrix24" in self.auth and not self.public_url, _WITHOUT_CALLBACK),
            (bool(urlsplit(self.public_url or "").path), _WITH_PATH),
            ("webhook-header" in self.auth and not self.portals, _WITHOUT_PORTALS),
            ("bearer" in self.auth and not self.bearer_token, _WITHOUT_BEARER),
        ):
            if wrong:
                raise ValueError(problem)
        return self

    def key_ring(self) -> list[bytes]:
        """Return the keys that seal and open, the one that seals first."""
        return [key.get_secret_value().encode() for key in self.state_key or ()]


class SharedSettings(BaseModel):
    """What several servers of one portal share; nothing without `url`."""

    model_config = _TABLE

    url: Annotated[SecretStr, AfterValidator(_engine_url)] | None = Field(
        default=None,
        description="Valkey or Redis that servers share, valkey://USER:PASSWORD@HOST:6379/0; keep it secret.",
    )
    egress: str = Field(
        default="",
        max_length=200,
        description="Name of the address from which a server calls the portal: one rate limit for each.",
    )


class LimitSettings(Limits):
    """The portal's limits, and the caller's."""

    # No portal's bucket is smaller than 5; the tests' may be.
    burst: int = Field(
        default=50, ge=5, le=1_000_000, description="Requests it takes at once; 250 with Enterprise."
    )
