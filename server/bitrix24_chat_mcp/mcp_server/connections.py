"""HTTP connections that are dropped when a request does not begin, or an answer is not read, in time."""

import asyncio
from importlib.metadata import version
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send

from bitrix24_chat_mcp.settings.load import ConfigError

MOST_WAITING = 1000
"""Connections without a request, from all addresses together."""


def connection_class(
    seconds: float, max_bytes: int, max_waiting: int = MOST_WAITING
) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP connection (httptools where installed, else h11) with limits.

    A connection is dropped when no request has begun within `seconds` of its opening, or of the first byte
    that follows the last answer; when more than `max_bytes` arrive meanwhile; when it is the oldest of more
    than `max_waiting` that wait for a request; and when the client does not read, within `seconds`, what the
    system's buffer does not hold of an answer. uvicorn itself bounds only the silence between two requests.
    Raises ConfigError where uvicorn's connection does not call its
    attribute `app`, which is not public: the limits would count requests that were answered long ago.
    """
    from uvicorn.protocols.http.auto import AutoHTTPProtocol  # noqa: PLC0415 - stdio does not need it

    if "app" not in AutoHTTPProtocol.__init__.__code__.co_names:
        raise ConfigError(
            f"uvicorn {version('uvicorn')} is installed, in which connections cannot be bounded in time; "
            "install another version from 0.34 on."
        )
    waiting: dict[_TimedConnection, None] = {}
    limits = {"seconds": seconds, "max_bytes": max_bytes, "max_waiting": max_waiting, "waiting": waiting}
    return type("Connection", (_TimedConnection, AutoHTTPProtocol), limits)


class _TimedConnection(asyncio.Protocol):
    """Precedes uvicorn's class. A request has begun when uvicorn calls the application."""

    app: ASGIApp
    seconds: float
    max_bytes: int
    max_waiting: int
    waiting: dict["_TimedConnection", None]
    """The connections without a request, the oldest first."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._connection = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass
        self._application, self.app = self.app, self._serve
        self._running = self._received = 0
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._connection.set_write_buffer_limits(0)  # so that writing pauses until all is read
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

    def pause_writing(self) -> None:
        """Start the clock for the client's reading."""
        super().pause_writing()
        self._unread = self._abort_later()

    def resume_writing(self) -> None:
        """Stop the clock for the client's reading."""
        self._stop_reading_timer()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._stop_timer()
        self._stop_reading_timer()
        super().connection_lost(exc)

    def drop(self) -> None:
        """End the connection at once."""
        self._stop_timer()
        self._connection.abort()

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
            self._timer = self._abort_later()
            self.waiting[self] = None
            if len(self.waiting) > self.max_waiting:
                next(iter(self.waiting)).drop()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
            self.waiting.pop(self, None)

    def _stop_reading_timer(self) -> None:
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def _abort_later(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self.seconds, self._connection.abort)
