"""From spawn to the first tool answer over stdio, beside a bare two-tool `mcp` server.

Both run in an environment of their own that holds what a user's holds: the built wheel, compiled, and
nothing that is here for development.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.table import Row

ROUNDS = 15
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
    """Measure both, turn by turn, so that a busy machine slows both alike."""
    with tempfile.TemporaryDirectory() as folder, _portal() as webhook:
        python = _user_environment(Path(folder))
        bare: list[float] = []
        ours: list[float] = []
        for _ in range(ROUNDS + 1):  # the first round compiles and is forgotten
            bare.append(_spawn_to_answer([python, "-c", BARE], "one", {"text": "x"}))
            ours.append(
                _spawn_to_answer(
                    [python, "-m", "bitrix24_chat_mcp"], "list_recent_chats", {}, BITRIX24_WEBHOOK_URL=webhook
                )
            )
    ratio = statistics.median(ours[1:]) / statistics.median(bare[1:])
    measured = (
        f"{statistics.median(ours[1:]) * 1000:.0f} ms beside {statistics.median(bare[1:]) * 1000:.0f} ms"
    )
    yield Row("spawn to first answer / bare mcp server", ratio, 1.2, measured)


def _user_environment(folder: Path) -> str:
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", ROOT], check=True)  # noqa: S603 - our own command
    return python


@contextmanager
def _portal() -> Generator[str]:
    command = [sys.executable, "-m", "bitrix24_chat_mcp", "portal", "--port", "0", "--burst", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as portal:  # noqa: S603 - our own command
        assert portal.stdout  # noqa: S101
        try:
            yield next(line.split(" = ")[1].strip() for line in portal.stdout if " = " in line)
        finally:
            portal.terminate()


def _spawn_to_answer(command: list[str], tool: str, arguments: dict[str, str], **settings: str) -> float:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    call = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    begun = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        env={**kept, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin  # noqa: S101
        assert server.stdout  # noqa: S101
        for message in [*HANDSHAKE, call]:
            server.stdin.write(json.dumps(message) + "\n")
            server.stdin.flush()
        answers = map(json.loads, server.stdout)
        answer = next(answer for answer in answers if answer.get("id") == 2)
        taken = time.perf_counter() - begun
        server.stdin.close()
    assert not answer["result"].get("isError"), answer  # noqa: S101
    return taken
