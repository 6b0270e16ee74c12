"""1,000 mixed calls from 50 clients over HTTP in half a minute: nothing lost, doubled or out of order."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from typing import Any, cast

from bitrix24_demo_portal import DemoPortal
from mcp import Client

from bench.portal import demo_portal
from bench.table import Row

CLIENTS, TURNS, SECONDS = 50, 20, 30
WRITERS = 40  # Bitrix24 pins 45 chats and no more, and a few are pinned already


def rows() -> Generator[Row]:
    """Let writers pin and unpin a chat of their own, and look after each whether that is what they see."""
    lost, wrong, seconds = asyncio.run(_measure())
    calls = CLIENTS * TURNS
    yield Row(f"lost of {calls} mixed calls from {CLIENTS} clients over HTTP", lost, 0, f"{seconds:.0f} s")
    yield Row("answers that contradict what their caller did before", wrong, 0)


async def _measure() -> tuple[int, int, float]:
    async with demo_portal(2) as portal, _server(portal.origin) as address:
        async with Client(address) as client:
            groups = await _listed(client, kinds="group", detail="brief", limit=WRITERS)
        begun = time.perf_counter()
        clients = (_client(address, number, groups, begun) for number in range(CLIENTS))
        outcomes = await asyncio.gather(*clients)
        seconds = time.perf_counter() - begun
    lost = CLIENTS * TURNS - sum(answered for answered, _ in outcomes)
    return lost, sum(wrong for _, wrong in outcomes), seconds


async def _client(address: str, number: int, groups: list[str], begun: float) -> tuple[int, int]:
    """Make a client's calls in turn; return how many were answered, and how many wrongly."""
    answered = wrong = 0
    own = groups[number] if number < WRITERS else None
    async with Client(address, mode="auto" if number % 2 else "legacy") as client:
        for turn in range(TURNS):
            await asyncio.sleep(max(0.0, begun + turn * SECONDS / TURNS - time.perf_counter()))
            pin = turn % 4 < 2  # pin, look, unpin, look
            if own and turn % 2 == 0:
                result = await client.call_tool("pin_chat", {"dialog_id": own, "pin": pin})
                answered += not result.is_error
            else:
                pinned = await _listed(client, show="pinned", detail="brief", limit=60)
                answered += bool(pinned)
                wrong += own is not None and (own in pinned) is not pin
    return answered, wrong


async def _listed(client: Client, **arguments: object) -> list[str]:
    page = cast("dict[str, Any]", (await client.call_tool("list_recent_chats", arguments)).structured_content)
    return [chat["dialog_id"] for chat in page["chats"]] if page else []


@asynccontextmanager
async def _server(origin: str) -> AsyncGenerator[str]:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bitrix24_chat_mcp", "--transport", "http", "--port", "0"),
        env={**os.environ, "BITRIX24_WEBHOOK_URL": DemoPortal(chats=300).webhook(base=origin)},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output = server.stderr or asyncio.StreamReader()
        yield (await output.readline()).decode().rpartition(" ")[2].strip()
    finally:
        server.terminate()
        await server.wait()
