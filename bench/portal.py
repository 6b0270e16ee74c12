"""A demo portal in a process of its own, on a real socket, so that it does not share our processor time."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT

_SERVE = """
import json, sys
sys.path.insert(0, sys.argv[2])
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serve
portal = DemoPortal(chats=int(sys.argv[3]), rate=float(sys.argv[1]))
serve(portal, started=lambda port: print(port, flush=True))
print(json.dumps([request.status for request in portal.requests]))
"""


@dataclass
class ServedPortal:
    """A portal in another process."""

    origin: str
    statuses: list[int | None] = field(default_factory=list[int | None])
    """The HTTP status of every request, known once the portal has stopped."""


@asynccontextmanager
async def demo_portal(rate: float, chats: int = 300) -> AsyncGenerator[ServedPortal]:
    """Start a portal with so many chats whose bucket drains at `rate`."""
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _SERVE, str(rate), str(Path(__file__).parent.parent / "server"), str(chats)),
        stdout=asyncio.subprocess.PIPE,
    )
    output = server.stdout or asyncio.StreamReader()
    port = (await output.readline()).decode().strip()
    portal = ServedPortal(f"http://127.0.0.1:{port}")
    try:
        yield portal
    finally:
        server.send_signal(SIGINT)
        portal.statuses += json.loads((await server.communicate())[0])
