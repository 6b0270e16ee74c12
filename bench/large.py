"""What 1,500 chats cost beside fetching them and `json.loads`, in time and in memory.

Everything runs in a process of its own and over real sockets: the portal, the server (on stdio, as a host
starts it) and the bare client. The portal answers once as the demo does, which makes its answer anew each
time, and once with the same bytes made beforehand, so that its own work flatters nobody. A server is idle
when it has answered twice about the chats of the last hour: whatever it needs for an answer is loaded then.
It keeps answers as it always does, but for a millisecond only, so that each call asks the portal.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from bench.table import Row

CHATS, ROUNDS = 1500, 12
ROOT = Path(__file__).parents[1]
PORTAL = """
import asyncio, math, sys
import httpx
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serve

chats, static = int(sys.argv[1]), sys.argv[2] == "static"
portal = DemoPortal(chats=chats, rate=math.inf)

async def body():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(portal)) as client:
        return (await client.post(portal.webhook() + "im.recent.get")).content

made = asyncio.run(body())

async def same(scope, receive, send):
    lines = (await receive())["body"]
    if scope["type"] != "http" or b"LAST_SYNC_DATE" in lines:
        return await portal(scope, again(lines), send)
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(made)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": made})

def again(lines):
    async def receive():
        return {"type": "http.request", "body": lines, "more_body": False}
    return receive

async def app(scope, receive, send):
    await (same if static and scope["type"] == "http" else portal)(scope, receive, send)

serve(app, started=lambda port: print(portal.webhook(base=f"http://127.0.0.1:{port}"), len(made), flush=True))
"""
BARE = """
import asyncio, json, sys, time
import httpx

async def main():
    async with httpx.AsyncClient() as client:
        for _ in sys.stdin:
            begun = time.perf_counter()
            response = await client.post(sys.argv[1] + "im.recent.get", json={})
            assert len(json.loads(response.content)["result"]) > 0
            print(time.perf_counter() - begun, flush=True)

asyncio.run(main())
"""
OURS = [sys.executable, "-m", "bitrix24_chat_mcp"]


def rows() -> Generator[Row]:
    """Measure with both kinds of portal."""
    for kind in ("demo", "static"):
        with _portal(kind) as (webhook, size):
            yield from _compare(kind, webhook, size)


def _compare(kind: str, webhook: str, size: int) -> Generator[Row]:
    with _Server(webhook) as server, _process([sys.executable, "-c", BARE, webhook]) as bare:
        idle = server.memory()
        ours, theirs = list[float](), list[float]()
        for _ in range(ROUNDS):  # turn by turn, so that a busy machine slows both alike
            theirs.append(_turn(bare))
            ours.append(server.list_chats({}))
        peak = server.memory() - idle
    ours_ms, theirs_ms = (statistics.median(times[1:]) * 1000 for times in (ours, theirs))
    body = f"{size / 1e6:.2f} MB, {kind} portal"
    yield Row(
        f"{CHATS:,} chats, time / httpx and json.loads ({kind} portal)",
        ours_ms / theirs_ms,
        1.5,
        f"{ours_ms:.0f} ms beside {theirs_ms:.0f} ms, {body}",
    )
    yield Row(
        f"{CHATS:,} chats, peak memory over idle / body ({kind} portal)",
        peak / size,
        3,
        f"{peak / 1e6:.1f} MB over {idle / 1e6:.0f} MB, {body}",
    )


def _turn(bare: subprocess.Popen[str]) -> float:
    assert bare.stdin  # noqa: S101
    assert bare.stdout  # noqa: S101
    bare.stdin.write("\n")
    bare.stdin.flush()
    return float(bare.stdout.readline())


class _Server:
    """Our server on its standard streams."""

    def __init__(self, webhook: str) -> None:
        environment = {**os.environ, "BITRIX24_WEBHOOK_URL": webhook, "BITRIX24_LIMITS__CACHE": "0.001"}
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            OURS, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._id = 0

    def __enter__(self) -> Self:
        client: dict[str, object] = {"name": "bench", "version": "1"}
        hello: dict[str, object] = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
        self._ask("initialize", hello)
        self._tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
        lately = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
        for _ in range(2):
            self.list_chats({"last_sync_date": lately})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def list_chats(self, arguments: dict[str, str]) -> float:
        """Call the tool, and return the seconds that it took."""
        begun = time.perf_counter()
        answer = self._ask("tools/call", {"name": "list_recent_chats", "arguments": arguments})
        taken = time.perf_counter() - begun
        assert not answer["result"].get("isError"), answer  # noqa: S101
        return taken

    def memory(self) -> int:
        """Return the most memory that the process has held so far, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    def _ask(self, method: str, params: dict[str, object]) -> dict[str, Any]:
        self._id += 1
        self._tell({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        assert self._process.stdout  # noqa: S101
        answers = map(json.loads, self._process.stdout)
        return next(answer for answer in answers if answer.get("id") == self._id)

    def _tell(self, message: dict[str, object]) -> None:
        assert self._process.stdin  # noqa: S101
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


@contextmanager
def _portal(kind: str) -> Generator[tuple[str, int]]:
    with _process([sys.executable, "-c", PORTAL, str(CHATS), kind]) as portal:
        assert portal.stdout  # noqa: S101
        webhook, size = portal.stdout.readline().split()
        yield webhook, int(size)


@contextmanager
def _process(command: list[str]) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()
