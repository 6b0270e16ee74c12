"""A demo portal in a process of its own, on a real socket, so that it does not share our processor time."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT
from typing import NamedTuple

_SERVE = """
import json, sys
sys.path.insert(0, sys.argv[2])
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serve
portal = DemoPortal(chats=int(sys.argv[3]), rate=float(sys.argv[1]), burst=float(sys.argv[4]))
issued = {user: portal.token(user) for user in map(int, sys.argv[5:])}
pairs = {user: (pair.access, pair.refresh) for user, pair in issued.items()}
serve(portal, started=lambda port: print(json.dumps([port, pairs]), flush=True))
print(json.dumps([(request.status, request.user, request.time) for request in portal.requests]))
"""


class Served(NamedTuple):
    """One request: its HTTP status, whose it was, and when it came, in Unix seconds."""

    status: int | None
    user: int | None
    time: float


@dataclass
class ServedPortal:
    """A portal in another process."""

    origin: str
    tokens: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    """The access and refresh token of each user who has signed in."""
    requests: list[Served] = field(default_factory=list[Served])
    """Every request, known once the portal has stopped."""

    @property
    def statuses(self) -> list[int | None]:
        """The HTTP status of every request."""
        return [request.status for request in self.requests]


@asynccontextmanager
async def demo_portal(
    rate: float, chats: int = 300, burst: float = 50, users: Sequence[int] = ()
) -> AsyncGenerator[ServedPortal]:
    """Start a portal with so many chats whose bucket drains at `rate` and holds `burst`; `users` sign in."""
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        *(
            "-c",
            _SERVE,
            str(rate),
            str(Path(__file__).parent.parent / "server"),
            str(chats),
            str(burst),
            *map(str, users),
        ),
        stdout=asyncio.subprocess.PIPE,
    )
    output = server.stdout or asyncio.StreamReader()
    port, pairs = json.loads(await output.readline())
    tokens = {int(user): tuple(pair) for user, pair in pairs.items()}
    portal = ServedPortal(f"http://127.0.0.1:{port}", tokens)
    try:
        yield portal
    finally:
        server.send_signal(SIGINT)
        portal.requests += [Served(*request) for request in json.loads((await server.communicate())[0])]
