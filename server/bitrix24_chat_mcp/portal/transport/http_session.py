"""The connections of an HTTP client, and what their failures mean. Imports the HTTP library."""

import logging
import ssl
from collections.abc import Collection, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast

import httpcore
import httpx
import truststore
from starlette.types import ASGIApp

from bitrix24_chat_mcp.portal.api.errors import NoResponseError, PortalError, UnreachableError
from bitrix24_chat_mcp.portal.api.rest import HttpResponse

from .response_body import Body, oversized
from .ssrf_guard import PublicNetworkBackend, PublicTransport

# httpx logs whole addresses at INFO, and a webhook's address holds its code.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# As many as an Enterprise portal's bucket holds. Idle connections spare the next call a handshake.
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=30.0)
_CONNECT_SECONDS = 5.0


class HttpSession:
    """A connection pool; the arguments are those of `HttpClient`."""

    def __init__(
        self,
        timeout: float,
        max_bytes: int,
        named: Collection[str] | None,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._max_bytes = max_bytes
        # The system's trust store: portals on premises may have certificates of their company's own.
        trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if transport is None and named is not None:
            transport = _public_transport(named, trust)
        self._client = httpx.AsyncClient(
            transport=transport,
            verify=trust,
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
            limits=_LIMITS,
            follow_redirects=False,  # httpx would follow a POST with an empty GET
            # One pool serves all users: a session cookie of one must not travel with another's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def exchange(
        self,
        verb: str,
        address: str,
        headers: Mapping[str, str],
        **body: Any,  # noqa: ANN401 - as the library takes it
    ) -> HttpResponse:
        """Make one HTTP request and return the whole response."""
        headers = {"Accept": "application/json", **headers}
        try:
            async with self._client.stream(verb, address, headers=headers, **body) as response:
                return await self._read(response)
        except (httpx.RequestError, httpx.InvalidURL, ssl.SSLError) as error:
            # Without the cause: its text and its request hold the address.
            raise _explain(error) from None

    async def _read(self, response: httpx.Response) -> HttpResponse:
        if int(response.headers.get("content-length", 0)) > self._max_bytes:
            raise oversized(self._max_bytes)
        accepted = response.request.headers["accept-encoding"]
        body = Body(response.headers.get("content-encoding", ""), accepted, self._max_bytes)
        # The bytes as received: httpx would inflate any content coding, in any number of layers.
        async for chunk in cast("httpx.AsyncByteStream", response.stream):
            await body.add(chunk)
        return HttpResponse(response.status_code, body.view(), response.headers.get("location"))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def asgi_transport(app: ASGIApp) -> httpx.AsyncBaseTransport:
    """Return a transport that calls an ASGI application in place of the network."""
    return httpx.ASGITransport(app)


def _public_transport(named: Collection[str], trust: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """Return a transport that checks each address before it connects."""
    return PublicTransport(
        httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=_LIMITS.max_connections,
            max_keepalive_connections=_LIMITS.max_keepalive_connections,
            keepalive_expiry=_LIMITS.keepalive_expiry,
            network_backend=PublicNetworkBackend(named),
        )
    )


_AGAIN = "Try again in a minute."


def _explain(error: Exception) -> PortalError:
    """Return the error that a failure of the library means; nothing is connected before ConnectError."""
    if _is_tls(error):
        return UnreachableError(
            "TLS_ERROR",
            "No secure connection to the portal: its certificate is not valid or not trusted here.",
            "Ask the person who runs this server to check the portal's certificate and the system's clock.",
            transient=False,
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return UnreachableError(
            "CONNECTION_REFUSED",
            "The portal's address cannot be called.",
            "Check webhook_url.",
            transient=False,
        )
    for failures, kind, code, meaning, next_step in _EXPLANATIONS:
        if isinstance(error, failures):
            return kind(code, meaning, next_step)
    return NoResponseError(
        "CONNECTION_BROKEN", "The connection to the portal broke before the answer was whole.", _AGAIN
    )


# Narrower failures of the library first.
_EXPLANATIONS: list[tuple[type[Exception], type[PortalError], str, str, str]] = [
    (
        httpx.ConnectTimeout,
        UnreachableError,
        "CONNECT_TIMED_OUT",
        "The portal did not accept a connection in time.",
        _AGAIN,
    ),
    (
        httpx.ConnectError,
        UnreachableError,
        "CONNECTION_REFUSED",
        "No connection to the portal: nothing answers at its address.",
        "Try again in a minute; if it persists, check webhook_url and the network.",
    ),
    (httpx.PoolTimeout, UnreachableError, "BUSY", "Too many calls are under way.", _AGAIN),
    (
        httpx.TimeoutException,
        NoResponseError,
        "TIMED_OUT",
        "The portal did not answer in time.",
        _AGAIN,
    ),
]


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
