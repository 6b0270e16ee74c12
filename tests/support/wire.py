"""A web server on loopback that says what a test wants, byte by byte."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Wire:
    """Answers every request with the same bytes; `asked` are the heads of the requests."""

    body: bytes
    headers: dict[str, str]
    status: str = "200 OK"
    asked: list[str] = field(default_factory=list[str])
    origin: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        length = next(
            (line[15:] for line in head.lower().splitlines() if line[:15] == "content-length:"), "0"
        )
        await reader.readexactly(int(length))
        told = {**self.headers, "content-length": str(len(self.body)), "connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode() + self.body)
        writer.close()


@asynccontextmanager
async def served(body: bytes, status: str = "200 OK", **headers: str) -> AsyncGenerator[Wire]:
    """Serve a body; underscores in the names of headers stand for hyphens."""
    wire = Wire(body, {name.replace("_", "-"): value for name, value in headers.items()}, status)
    async with await asyncio.start_server(wire.answer, "127.0.0.1", 0) as server:
        wire.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield wire
