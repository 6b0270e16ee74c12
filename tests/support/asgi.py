"""Requests to the ASGI application that may last, without sockets: for tests in virtual time."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.types import Message


@dataclass
class Exchange:
    """A request that is being answered, and what has come of it so far."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    said: str = ""
    over: bool = False
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.said += message.get("body", b"").decode()
            self.over = not message.get("more_body", False)

    def receiver(self, body: bytes) -> Any:
        parts = [body]

        async def receive() -> Message:
            if parts:
                return {"type": "http.request", "body": parts.pop(), "more_body": False}
            await self._left.wait()
            return {"type": "http.disconnect"}

        return receive


@asynccontextmanager
async def asking(
    app: Starlette, body: object, headers: dict[str, str], method: str = "POST", address: str = "192.0.2.1"
) -> AsyncGenerator[Exchange]:
    """Send a request to /mcp, and hang up at the end of the block if it is not answered."""
    exchange = Exchange()
    scope = {
        "type": "http",
        "method": method,
        "path": "/mcp",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        + [(b"host", b"127.0.0.1:8000")],
        "client": (address, 1),
        "app": app,
    }
    content = b"" if body is None else json.dumps(body).encode()
    task = asyncio.create_task(app(scope, exchange.receiver(content), exchange.send))
    try:
        await asyncio.wait([task], timeout=1)
        yield exchange
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def answer(app: Starlette, body: object, headers: dict[str, str], **more: str) -> Exchange:
    """Send a request that is answered at once."""
    async with asking(app, body, headers, **more) as exchange:
        assert exchange.over
        return exchange
