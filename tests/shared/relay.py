"""A way to the engine that one server has to itself, and that can be cut, be slow, or speak TLS."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from bench.valkey import PASSWORD, ValkeyServer

CHUNK = 65536


class Relay:
    """Passes bytes on, until it is cut: then it closes what is open and takes nobody any more."""

    def __init__(self, valkey: ValkeyServer) -> None:
        self._valkey = valkey
        self._open: set[asyncio.StreamWriter] = set()
        self._cut = False
        self.delay = 0.0
        """Seconds by which each answer is late."""
        self.asked = 0
        """How often the engine was asked, whatever number of commands came at once."""
        self.url = ""

    def cut(self) -> None:
        self._cut = True
        for writer in self._open:
            writer.close()

    def mend(self) -> None:
        self._cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._valkey.port)
        self._open |= {writer, back}
        await asyncio.gather(self._ask(reader, back), self._answer(there, writer))
        self._open -= {writer, back}

    async def _ask(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                self.asked += 1
                target.write(data)
                await target.drain()
        target.close()

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await asyncio.sleep(self.delay)
                target.write(data)
                await target.drain()
        target.close()


@asynccontextmanager
async def relay(valkey: ValkeyServer, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Relay]:
    """Open a way to the engine."""
    way = Relay(valkey)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0, ssl=tls)
    scheme, port = "rediss" if tls else "valkey", server.sockets[0].getsockname()[1]
    way.url = f"{scheme}://:{PASSWORD}@127.0.0.1:{port}/0"
    async with server:
        yield way
        way.cut()
