"""Token refreshes that are killed at each of twenty steps, in children of `mortal.py`."""

import json
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bitrix24_demo_portal import DemoPortal

from support.sign_ins import renewals

MORTAL = Path(__file__).with_name("mortal.py")
STEPS = 20


async def survive_kills_at_each_step(
    environment: dict[str, str],
    portal: DemoPortal,
    sign_in: Callable[[], Awaitable[None]],
    kept_access: Callable[[], Awaitable[str]],
) -> None:
    """Kill a refresh at each step, and check that the next start goes on.

    `sign_in` stores tokens that have expired, `kept_access` returns the access token that is stored. Where
    the OAuth server kills the old pair at once, an answer that nobody read costs the sign-in: no client can
    have it otherwise. Then, and only then, the next start says to log in again; of a server that still takes
    the old refresh token, nothing is lost.
    """

    async def killed_at(step: int, *, rotate: bool) -> bool:
        """Kill a refresh; tell whether what is kept is still worth something."""
        await sign_in()
        portal.rotate = rotate
        portal.requests.clear()
        assert not await _ask(process, 1 + step * (whole - 1) // (STEPS + 1)), "it was to be killed"
        return portal.tokens.find(await kept_access()) is not None

    async with _mortals(environment) as process:
        for _ in range(2):  # the first one also brings what is brought once, such as the engine's scripts
            await sign_in()
            whole = int((await _ask(process, 0))["steps"])
        for step in range(1, STEPS + 1):
            alive = await killed_at(step, rotate=True)
            answered = renewals(portal) > 0
            said = str((await _ask(process))["said"])
            if not alive:
                assert answered, step
                assert said.startswith("NOT_SIGNED_IN: "), step
                assert await killed_at(step, rotate=False), step
                said = str((await _ask(process))["said"])
            assert " of " in said, step


@asynccontextmanager
async def _mortals(environment: dict[str, str]) -> AsyncGenerator[Process]:
    process = await create_subprocess_exec(sys.executable, MORTAL, env=environment, stdin=PIPE, stdout=PIPE)
    try:
        assert process.stdout
        assert await process.stdout.readline()
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def _ask(process: Process, step: int = -1) -> dict[str, str | int]:
    """Let a child ask for the chats; nothing comes back from one that was killed."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{step}\n".encode())
    return json.loads((await process.stdout.readline()).strip() or b"{}")
