"""Renewals that are killed, and processes that renew at once: real processes, a real socket, SIGKILL."""

import json
import math
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import stored_tokens
from bitrix24_demo_portal import DemoPortal
from mcp import Client, StdioServerParameters

from .conftest import renewals

MORTAL = Path(__file__).with_name("mortal.py")
STEPS = 20
SignInAgain = Callable[[], None]


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=3, rate=math.inf, burst=math.inf)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "bitrix24-chat-mcp" / "sign-ins"


@pytest.fixture
def sign_in(base: str, portal: DemoPortal, folder: Path) -> SignInAgain:
    """Sign user 1 in, with a token that has just expired."""

    def again() -> None:
        pair = portal.token()
        pair.expires = 0
        stored_tokens.write(folder, base, portal=base, user="1", access=pair.access, refresh=pair.refresh)

    again()
    return again


@asynccontextmanager
async def mortals(environment: dict[str, str]) -> AsyncGenerator[Process]:
    process = await create_subprocess_exec(sys.executable, MORTAL, env=environment, stdin=PIPE, stdout=PIPE)
    try:
        assert process.stdout
        assert await process.stdout.readline()
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def ask(process: Process, step: int = -1) -> dict[str, str | int]:
    """Let a child ask for the chats; nothing comes back from one that was killed."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{step}\n".encode())
    return json.loads((await process.stdout.readline()).strip() or b"{}")


async def test_a_renewal_killed_at_each_of_twenty_steps_leaves_a_server_that_starts(
    environment: dict[str, str], sign_in: SignInAgain, portal: DemoPortal, folder: Path, base: str
) -> None:
    """Where the OAuth server kills the old pair at once, an answer that nobody read costs the sign-in: no
    client can have it otherwise. Then, and only then, the next start says to log in again; of a server that
    still takes the old refresh token, nothing is lost.
    """

    async def killed_at(step: int, *, rotate: bool) -> bool:
        """Kill a renewal; tell whether what is kept is still worth something."""
        sign_in()
        portal.rotate = rotate
        portal.requests.clear()
        assert not await ask(process, 1 + step * (whole - 1) // (STEPS + 1)), "it was to be killed"
        kept = stored_tokens.read(folder, base)
        return portal.tokens.find(kept["access"]) is not None

    async with mortals(environment) as process:
        sign_in()
        whole = int((await ask(process, 0))["steps"])
        for step in range(1, STEPS + 1):
            alive = await killed_at(step, rotate=True)
            answered = renewals(portal) > 0
            said = str((await ask(process))["said"])
            if not alive:
                assert answered, step
                assert said.startswith("NOT_SIGNED_IN: "), step
                assert await killed_at(step, rotate=False), step
                said = str((await ask(process))["said"])
            assert " of " in said, step


async def test_two_processes_renew_once(
    environment: dict[str, str], sign_in: SignInAgain, portal: DemoPortal
) -> None:
    sign_in()
    command = StdioServerParameters(command=sys.executable, args=["-m", "bitrix24_chat_mcp"], env=environment)
    failed: list[bool] = []
    async with Client(command) as one, Client(command) as other, anyio.create_task_group() as tasks:

        async def call(client: Client) -> None:
            failed.append(bool((await client.call_tool("list_recent_chats")).is_error))

        for client in (one, other) * 5:
            tasks.start_soon(call, client)
    assert failed == [False] * 10
    assert renewals(portal) == 1
