"""A demo portal in a process of its own, on a real socket, so that it does not share our processor time."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

_SERVE = """
import math, sys
sys.path.insert(0, sys.argv[2])
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serve
portal = DemoPortal(chats=300, rate=float(sys.argv[1]))
serve(portal, started=lambda port: print(port, flush=True))
"""


@asynccontextmanager
async def demo_portal(rate: float) -> AsyncGenerator[str]:
    """Start a portal of 300 chats whose bucket drains at `rate`; give its origin."""
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _SERVE, str(rate), str(Path(__file__).parent.parent / "server")),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output = server.stdout or asyncio.StreamReader()
        port = (await output.readline()).decode().strip()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        await server.wait()
