"""HTTP connections that are dropped when a request's head does not arrive in time."""

import asyncio
from importlib.metadata import version
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send

from bitrix24_chat_mcp.settings.load import ConfigError


def connection_class(seconds: float, max_bytes: int) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP connection (httptools where installed, else h11) with limits.

    A connection is dropped when no request has begun within `seconds` of its opening, or of the first byte
    that follows the last answer; and when more than `max_bytes` arrive meanwhile. uvicorn itself bounds
    only the silence between two requests. Raises ConfigError where uvicorn's connection does not call its
    attribute `app`, which is not public: the limits would count requests that were answered long ago.
    """
    from uvicorn.protocols.http.auto import AutoHTTPProtocol  # noqa: PLC0415 - stdio does not need it

    if "app" not in AutoHTTPProtocol.__init__.__code__.co_names:
        raise ConfigError(
            f"uvicorn {version('uvicorn')} is installed, in which connections cannot be bounded in time; "
            "install another version from 0.34 on."
        )
    limits = {"seconds": seconds, "max_bytes": max_bytes}
    return type("Connection", (_TimedConnection, AutoHTTPProtocol), limits)


class _TimedConnection(asyncio.Protocol):
    """Precedes uvicorn's class. A request has begun when uvicorn calls the application."""

    app: ASGIApp
    seconds: float
    max_bytes: int

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._connection = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass
        self._application, self.app = self.app, self._serve
        self._running = self._received = 0
        self._timer: asyncio.TimerHandle | None = None
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Start the clock, unless a request is being answered."""
        if not self._running:
            self._received += len(data)
            if self._received > self.max_bytes:
                self._connection.abort()
                return
            self._start_timer()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._stop_timer()
        self._received = 0
        self._running += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._running -= 1

    def _start_timer(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.seconds, self._connection.abort)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
