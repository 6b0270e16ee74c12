"""The portal on a real socket of the loopback interface."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from .request import App
from .response import HANG_UP

_LOOPBACK = "127.0.0.1"


class _Connection(H11Protocol):
    """A connection that the application may drop: see the scope extension."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Offer the extension to the application."""
        super().connection_made(transport)
        portal = self.app

        async def with_hang_up(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - uvicorn's own types
            scope["extensions"] = {**(scope.get("extensions") or {}), HANG_UP: self._hang_up}
            with suppress(asyncio.CancelledError):  # the server stops, and nobody waits for this answer
                await portal(scope, receive, send)

        self.app = with_hang_up

    def _hang_up(self) -> None:
        self.cycle.disconnected = True  # or uvicorn would complain of an unfinished answer
        self.transport.close()


class _Guest(uvicorn.Server):
    """A server that leaves signals to its host, and stops at once when told."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.stopped = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield

    async def main_loop(self) -> None:
        """Serve until stopped."""
        await self.stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop every connection and request; uvicorn's own way takes its time."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for request in self.server_state.tasks:
            request.cancel()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0)
        await self.lifespan.shutdown()


def serve(portal: App, port: int = 0, *, started: Callable[[int], None] | None = None) -> None:
    """Serve until interrupted; `started` gets the real port, for a `port` of 0 is any free one.

    Prints nothing. Raises OSError when the port is taken.
    """
    with _bound(port) as listener:
        if started:
            started(listener.getsockname()[1])
        with suppress(KeyboardInterrupt):  # the way to stop it
            uvicorn.Server(_config(portal)).run([listener])


@asynccontextmanager
async def serving(portal: App, port: int = 0, *, tls: Path | None = None) -> AsyncGenerator[str]:
    """Serve while the block lasts; gives the address, `http://127.0.0.1:<port>`.

    `tls` is a PEM file with a certificate and its key, for callers that insist on https.
    """
    with _bound(port) as listener:
        server = _Guest(_config(portal, tls))
        task = asyncio.create_task(server.serve([listener]))
        try:
            scheme = "https" if tls else "http"
            yield f"{scheme}://{_LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            server.stopped.set()
            await task


def _bound(port: int) -> socket.socket:
    # With the protocol named, or asyncio would leave out TCP_NODELAY, and each answer take 40 ms longer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_LOOPBACK, port))
        listener.listen()  # callers may connect at once, and wait for the server
    except OSError:
        listener.close()
        raise
    return listener


def _config(portal: App, tls: Path | None = None) -> Config:
    return Config(
        portal,
        http=_Connection,
        ws="none",
        ssl_certfile=tls,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
