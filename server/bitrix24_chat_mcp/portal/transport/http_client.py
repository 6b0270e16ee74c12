"""Carries requests to a portal over HTTP; the only module that imports the HTTP library.

The library is imported and the connection pool opened with the first request, so that a server which
nobody asks costs nothing.
"""

import logging
import ssl
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, cast

from bitrix24_chat_mcp.portal.api.errors import NoResponseError, PortalError, UnreachableError
from bitrix24_chat_mcp.portal.api.rest import HttpResponse, Request

from .response_body import Body, oversized

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp


class HttpClient:
    """A pool of connections to portals. One for the whole process, for all users.

    `timeout` is the longest silence in seconds, half as long as a call's patience so that another attempt
    fits; `max_bytes` is the largest body. `named`, where given, are the hosts that may lie inside the
    network; all others must be public. `transport` takes the network's place: the demo portal, or a fault.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        max_bytes: int = 64 * 1024 * 1024,
        named: Collection[str] | None = None,
        transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None,
    ) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._named = named
        self._transport = transport

    @cached_property
    def _client(self) -> "httpx.AsyncClient":
        import httpx  # noqa: PLC0415 - not before the first call needs it
        import truststore  # noqa: PLC0415

        # httpx logs whole addresses at INFO, and ours hold the webhook's code.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        # The system's trust store: portals on premises have certificates of their company's own.
        trust = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # As many as an Enterprise portal's bucket holds. Those at rest spare the next call a handshake.
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=30.0)
        return httpx.AsyncClient(
            transport=self._transport() if self._transport else _guarded(self._named, trust, limits),
            verify=trust,
            timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, 5.0)),
            limits=limits,
            follow_redirects=False,  # a POST that is followed blindly arrives as an empty GET
            # One pool serves all users: a session cookie of one must not travel with another's request.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def send(self, request: Request[object]) -> HttpResponse:
        """Post a request and return what came back, whatever it is; raise if nothing whole did."""
        credentials = request.credentials
        address, headers = credentials.address(request.method), {**_COMPRESSED, **credentials.headers()}
        return await self._exchange("POST", address, headers, json=dict(request.params))

    async def post_form(self, address: str, form: Mapping[str, str]) -> HttpResponse:
        """Post a form, as OAuth servers take it, and return what came back."""
        return await self._exchange("POST", address, _PLAIN, data=dict(form))

    async def get(self, address: str) -> HttpResponse:
        """Get a JSON document and return what came back."""
        return await self._exchange("GET", address, _PLAIN)

    async def _exchange(
        self,
        verb: str,
        address: str,
        headers: Mapping[str, str],
        **body: Any,  # noqa: ANN401 - as the library takes it
    ) -> HttpResponse:
        client = self._client
        import httpx  # noqa: PLC0415

        headers = {"Accept": "application/json", **headers}
        try:
            async with client.stream(verb, address, headers=headers, **body) as response:
                return await self._read(response)
        except (httpx.RequestError, httpx.InvalidURL, ssl.SSLError) as error:
            # Without the cause: its text and its request hold the address.
            raise _explain(error) from None

    async def _read(self, response: "httpx.Response") -> HttpResponse:
        if int(response.headers.get("content-length", 0)) > self._max_bytes:
            raise oversized(self._max_bytes)
        accepted = response.request.headers["accept-encoding"]
        body = Body(response.headers.get("content-encoding", ""), accepted, self._max_bytes)
        # As it was received: the library would inflate whatever comes, in as many layers as it has.
        async for chunk in cast("httpx.AsyncByteStream", response.stream):
            await body.add(chunk)
        return HttpResponse(response.status_code, body.view(), response.headers.get("location"))

    async def aclose(self) -> None:
        """Close the connections, if any were opened."""
        if "_client" in self.__dict__:
            await self._client.aclose()


def in_process(app: "ASGIApp") -> "Callable[[], httpx.AsyncBaseTransport]":
    """Return a transport that calls an ASGI application in place of the network."""

    def transport() -> "httpx.AsyncBaseTransport":
        import httpx  # noqa: PLC0415

        return httpx.ASGITransport(app)

    return transport


def _guarded(
    named: Collection[str] | None, trust: ssl.SSLContext, limits: "httpx.Limits"
) -> "httpx.AsyncBaseTransport | None":
    """Return a transport that looks at each address before it connects, or None where all are trusted."""
    if named is None:
        return None
    import httpcore  # noqa: PLC0415

    from .ssrf_guard import PublicNetworkBackend, PublicTransport  # noqa: PLC0415

    return PublicTransport(
        httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=PublicNetworkBackend(named),
        )
    )


def _explain(error: Exception) -> PortalError:
    import httpx  # noqa: PLC0415

    if _is_tls(error):
        return UnreachableError(
            "TLS_ERROR",
            "No secure connection to the portal: its certificate is not valid or not trusted here.",
            "Ask the person who runs this server to check the portal's certificate and the system's clock.",
            transient=False,
        )
    for kind, explain in _EXPLANATIONS.items():
        if isinstance(error, getattr(httpx, kind)):
            return explain()
    return NoResponseError(
        "CONNECTION_BROKEN", "The connection to the portal broke before the answer was whole.", _AGAIN
    )


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _uncallable() -> UnreachableError:
    return UnreachableError(
        "CONNECTION_REFUSED", "The portal's address cannot be called.", "Check webhook_url.", transient=False
    )


_COMPRESSED = {"Accept-Encoding": "gzip"}
_PLAIN = {"Accept-Encoding": "identity"}
_AGAIN = "Try again in a minute."
_EXPLANATIONS: dict[str, Callable[[], PortalError]] = {
    "ConnectTimeout": lambda: UnreachableError(
        "CONNECT_TIMED_OUT", "The portal did not accept a connection in time.", _AGAIN
    ),
    "ConnectError": lambda: UnreachableError(
        "CONNECTION_REFUSED",
        "No connection to the portal: nothing answers at its address.",
        "Try again in a minute; if it persists, check webhook_url and the network.",
    ),
    "PoolTimeout": lambda: UnreachableError("BUSY", "Too many calls are under way.", _AGAIN),
    "TimeoutException": lambda: NoResponseError("TIMED_OUT", "The portal did not answer in time.", _AGAIN),
    "UnsupportedProtocol": _uncallable,
    "InvalidURL": _uncallable,
}
