"""Renewals that are killed, and processes that renew at once: real processes, a real socket, SIGKILL."""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from bitrix24_demo_portal import DemoPortal
from mcp import Client, StdioServerParameters
from support import stored_tokens
from support.killed_refreshes import survive_kills_at_each_step
from support.sign_ins import renewals

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


async def test_a_token_refresh_killed_at_each_of_twenty_steps_leaves_a_server_that_starts(
    environment: dict[str, str], sign_in: SignInAgain, portal: DemoPortal, folder: Path, base: str
) -> None:
    async def sign_in_again() -> None:
        sign_in()

    async def kept_access() -> str:
        return stored_tokens.read(folder, base)["access"]

    await survive_kills_at_each_step(environment, portal, sign_in_again, kept_access)


async def test_two_processes_refresh_a_token_once(
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
