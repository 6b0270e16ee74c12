"""From spawn to the first tool answer over stdio, beside a bare two-tool `mcp` server.

Both run in an environment of their own that holds what a user's holds: the built wheel, compiled, and
nothing that is here for development. The portal answers at once, with bytes made beforehand: how long a
portal thinks is no property of ours.
"""

import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import httpx
from bitrix24_chat_mcp.portal.transport.http_client import in_process
from bitrix24_demo_portal import DemoPortal

from bench.table import Row

ROUNDS = 20
ROOT = str(Path(__file__).parents[1])
BARE = """
from mcp.server import MCPServer
server = MCPServer("bare", log_level="WARNING")
@server.tool()
async def one(text: str) -> str:
    return text
@server.tool()
async def two(text: str) -> str:
    return text
server.run("stdio")
"""
HANDSHAKE: list[dict[str, object]] = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]


def rows() -> Generator[Row]:
    """Measure them turn by turn, so that a busy machine slows all alike."""
    with tempfile.TemporaryDirectory() as folder, _portal() as webhook:
        python = user_environment(Path(folder), ROOT)
        settings = {"BITRIX24_WEBHOOK_URL": webhook}
        listing = [python, "-m", "bitrix24_chat_mcp"], "list_recent_chats", dict[str, str]()
        bare, ours, with_sets = turn_by_turn(
            ([python, "-c", BARE], "one", {"text": "x"}, {}),
            (*listing, settings),
            (*listing, {**settings, "BITRIX24_TOOLSETS": "read,marks,tidy"}),
        )
    yield _compared("spawn to first answer / bare mcp server, processor time", ours, bare, 1.1)
    yield _compared("the same with all sets of tools / without, processor time", with_sets, ours, 1.05)


class Taken(NamedTuple):
    """Seconds by the clock until the answer, and seconds of a processor: those do not depend on the load."""

    clock: float
    busy: float


Start = tuple[Sequence[str], str, Mapping[str, str], Mapping[str, str]]
"""A command, the tool to call with its arguments, and settings in the environment."""


def turn_by_turn(*starts: Start) -> list[list[Taken]]:
    """Start each in turn, again and again; return what each took, without the first round."""
    rounds = [[_spawn_to_answer(*start) for start in starts] for _ in range(ROUNDS + 1)]
    return [list(many) for many in zip(*rounds[1:], strict=True)]


def user_environment(folder: Path, *packages: str) -> str:
    """Make an environment with these packages and nothing else; return its Python."""
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)  # noqa: S603 - our own command
    return python


@contextmanager
def _portal() -> Generator[str]:
    """Serve one portal's chats to whatever is asked; yield the webhook."""
    body = asyncio.run(_recorded())

    class Recorded(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/json; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Recorded) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/rest/1/c0de12345x/"
        server.shutdown()


async def _recorded() -> bytes:
    portal = DemoPortal()
    async with httpx.AsyncClient(transport=in_process(portal)()) as client:
        return (await client.post(f"{portal.webhook()}im.recent.get", json={})).content


def _compared(name: str, these: Sequence[Taken], those: Sequence[Taken], most: float) -> Row:
    ratio = statistics.median(one.busy for one in these) / statistics.median(one.busy for one in those)
    measured = f"{_milliseconds(these)} beside {_milliseconds(those)}; by the clock, median of {ROUNDS}"
    return Row(name, ratio, most, measured)


def _milliseconds(many: Sequence[Taken]) -> str:
    return f"{statistics.median(taken.clock for taken in many) * 1000:.0f} ms"


def _spawn_to_answer(
    command: Sequence[str], tool: str, arguments: Mapping[str, str], settings: Mapping[str, str]
) -> Taken:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    call = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    begun = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env={**kept, **settings}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin  # noqa: S101
        assert server.stdout  # noqa: S101
        server.stdin.writelines(json.dumps(message) + "\n" for message in [*HANDSHAKE, call])
        server.stdin.flush()
        answers = map(json.loads, server.stdout)
        answer = next(answer for answer in answers if answer.get("id") == 2)
        taken = time.perf_counter() - begun
        server.kill()  # how it ends is not what is measured
        _, status, used = os.wait4(server.pid, 0)
        server.returncode = os.waitstatus_to_exitcode(status)
    assert not answer["result"].get("isError"), answer  # noqa: S101
    return Taken(taken, used.ru_utime + used.ru_stime)
