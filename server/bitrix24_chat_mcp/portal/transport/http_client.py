"""Sends requests to a portal over HTTP.

The HTTP library is imported and the connection pool opened with the first request, so that a server whose
tools nobody calls costs nothing.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING

from bitrix24_chat_mcp.portal.api.rest import ApiResult, HttpResponse, Request, parse_response

from .worker_threads import WorkerThreads

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp

    from .http_session import HttpSession


class HttpClient:
    """A pool of connections to portals. One for the whole process, for all users.

    `timeout` is the longest silence in seconds, half of a call's deadline so that another attempt fits;
    `max_bytes` is the largest body. `named`, where given, are the hosts that may lie inside the operator's
    network; all others must be public. `transport` replaces the network, in tests and for the demo portal.
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
        self.threads = WorkerThreads()
        """For the reading of large answers, and other work that would hold up the event loop."""

    @cached_property
    def _session(self) -> "HttpSession":
        from .http_session import HttpSession  # noqa: PLC0415 - not before the first call needs it

        transport = self._transport() if self._transport else None
        return HttpSession(self._timeout, self._max_bytes, self._named, transport)

    async def send(self, request: Request[object]) -> ApiResult:
        """Post a request and return the portal's answer, its result still raw; raise a PortalError."""
        credentials = request.credentials
        address, headers = credentials.address(request.method), {**_COMPRESSED, **credentials.headers()}
        response = await self._session.exchange("POST", address, headers, json=dict(request.params))
        parse = partial(parse_response, response, address)
        return await self.threads.read(credentials.portal, response.body, parse)

    async def post_form(self, address: str, form: Mapping[str, str]) -> HttpResponse:
        """Post a form, as OAuth servers take it, and return the response."""
        return await self._session.exchange("POST", address, _PLAIN, data=dict(form))

    async def get(self, address: str) -> HttpResponse:
        """Get a JSON document and return the response."""
        return await self._session.exchange("GET", address, _PLAIN)

    async def aclose(self) -> None:
        """Close the connections, if any were opened."""
        if "_session" in self.__dict__:
            await self._session.aclose()


def in_process(app: "ASGIApp") -> "Callable[[], httpx.AsyncBaseTransport]":
    """Return a transport that calls an ASGI application in place of the network."""

    def transport() -> "httpx.AsyncBaseTransport":
        from .http_session import asgi_transport  # noqa: PLC0415

        return asgi_transport(app)

    return transport


_COMPRESSED = {"Accept-Encoding": "gzip"}
_PLAIN = {"Accept-Encoding": "identity"}
