"""A way to the engine that one server has to itself, and that can be cut."""

import asyncio
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
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._open -= {writer, back}

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                target.write(data)
                await target.drain()
        target.close()


@asynccontextmanager
async def relay(valkey: ValkeyServer) -> AsyncGenerator[Relay]:
    """Open a way to the engine."""
    way = Relay(valkey)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    way.url = f"valkey://:{PASSWORD}@127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    async with server:
        yield way
        way.cut()
