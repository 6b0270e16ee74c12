"""Renewals through the engine that are killed or frozen: real processes and sockets, SIGKILL and SIGSTOP."""

import json
import math
import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import anyio
import pytest
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.shared.token_store import SharedTokenStore
from bitrix24_demo_portal import DemoPortal, Fault
from bitrix24_demo_portal.asgi.server import serving
from support import stored_tokens
from support.killed_refreshes import survive_kills_at_each_step
from support.sign_ins import renewals
from support.team import STATE_KEY, Memory

from bench.valkey import ValkeyServer

from .test_team import call, post

NOBODY = Memory()
SignIn = Callable[[], Awaitable[None]]


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=3, rate=math.inf, burst=math.inf)


@pytest.fixture
async def base(portal: DemoPortal) -> AsyncGenerator[str]:
    async with serving(portal) as base:
        yield base


@pytest.fixture
def store(engine: Engine) -> SharedTokenStore:
    return SharedTokenStore(engine, Sealer(STATE_KEY.encode()))


@pytest.fixture
def environment(base: str, portal: DemoPortal, valkey: ValkeyServer, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BITRIX24_")}
    settings = {
        "TRANSPORT": "http",
        "HTTP__PORT": "0",
        "HTTP__STATE_KEY": STATE_KEY,
        "SHARED__URL": valkey.url,
        "OAUTH__PORTAL": base,
        "OAUTH__SERVER": base,
        "OAUTH__CLIENT_ID": portal.client_id,
        "OAUTH__CLIENT_SECRET": portal.client_secret,
    }
    tests = {"PYTHONPATH": str(Path(__file__).parents[1]), "XDG_CONFIG_HOME": str(tmp_path)}
    return kept | tests | {f"BITRIX24_{name}": value for name, value in settings.items()}


@pytest.fixture
def sign_in(base: str, portal: DemoPortal, store: SharedTokenStore) -> SignIn:
    """Sign user 1 in, with a token that has just expired."""

    async def again() -> None:
        pair = portal.token()
        pair.expires = 0
        text = {"portal": base, "user": "1", "access": pair.access, "refresh": pair.refresh}
        await stored_tokens.replace(store, base, json.dumps(text))

    return again


async def end_leases(engine: Engine) -> None:
    for name in await engine.run("KEYS", "*:lock"):
        await engine.run("DEL", name)


async def test_a_renewal_through_the_engine_killed_at_each_of_twenty_steps_leaves_servers_that_go_on(
    environment: dict[str, str],
    sign_in: SignIn,
    portal: DemoPortal,
    store: SharedTokenStore,
    engine: Engine,
    base: str,
) -> None:
    """As it is with files."""

    async def kept_access() -> str:
        await end_leases(engine)
        return json.loads(await stored_tokens.text_of(store, base) or "{}")["access"]

    await survive_kills_at_each_step(environment, portal, sign_in, kept_access)


@asynccontextmanager
async def served(environment: dict[str, str]) -> AsyncGenerator[tuple[Process, str]]:
    """Start a server; give its process and its address."""
    command = (sys.executable, "-m", "bitrix24_chat_mcp")
    process = await create_subprocess_exec(*command, env=environment, stdout=DEVNULL, stderr=PIPE)
    try:
        assert process.stderr
        said = (await process.stderr.readline()).decode()
        yield process, said.split()[-1].removesuffix("/mcp")
    finally:
        process.kill()
        await process.communicate()


@dataclass
class Frozen:
    """What came of a renewal whose server was frozen in its midst, while another server went on."""

    of_frozen: str = ""
    of_other: str = ""
    kept: str | None = None
    """What lay in the engine before the frozen server went on."""
    later: list[str] = field(default_factory=list[str])
    """What both servers say afterwards."""


async def freeze(
    environment: dict[str, str], portal: DemoPortal, store: SharedTokenStore, engine: Engine
) -> Frozen:
    came = Frozen()
    async with served(environment) as (process, a), served(environment) as (_, b):
        async with anyio.create_task_group() as tasks:

            async def ask_a() -> None:
                came.of_frozen = (await post(a, NOBODY, "list_recent_chats")).text

            tasks.start_soon(ask_a)
            while not renewals(portal):  # noqa: ASYNC110 - another process is waited for
                await anyio.sleep(0.005)
            process.send_signal(SIGSTOP)
            await end_leases(engine)
            came.of_other = await call(b, NOBODY)
            came.kept = await stored_tokens.text_of(store, environment["BITRIX24_OAUTH__PORTAL"])
            process.send_signal(SIGCONT)
        came.later = [await call(server, NOBODY) for server in (a, b, a, b)]
    return came


async def test_a_server_frozen_in_the_midst_of_a_renewal_past_its_lease_signs_nobody_out(
    environment: dict[str, str], sign_in: SignIn, portal: DemoPortal, store: SharedTokenStore, engine: Engine
) -> None:
    """The OAuth server has changed the pair already, and only the frozen server gets to know the next one."""
    await sign_in()
    portal.fail("oauth.token", Fault(delay=1.0), calls=1)
    came = await freeze(environment, portal, store, engine)
    assert "NOT_SIGNED_IN" in came.of_other
    assert all(" of " in said for said in (came.of_frozen, *came.later)), came


async def test_a_server_frozen_in_the_midst_of_a_renewal_past_its_lease_overwrites_nothing(
    environment: dict[str, str],
    sign_in: SignIn,
    portal: DemoPortal,
    store: SharedTokenStore,
    engine: Engine,
    base: str,
) -> None:
    """The frozen server's request is refused in the end; the other one has renewed meanwhile."""
    await sign_in()
    portal.fail("oauth.token", Fault(error="invalid_grant", delay=1.0), calls=1)
    came = await freeze(environment, portal, store, engine)
    assert all(" of " in said for said in (came.of_frozen, came.of_other, *came.later)), came
    assert await stored_tokens.text_of(store, base) == came.kept
