"""How long a call waits for the engine, and how often it asks: a real engine behind a slow way."""

import asyncio
import math

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.transport.engine_use import new_use
from bitrix24_demo_portal import DemoPortal
from support.conversation import text
from support.team import ORIGIN, Person, assistant, caller

from bench.valkey import ValkeyServer

from .relay import relay
from .team import team
from .test_team import call, sign_in

COMMAND = 0.12
MARGIN = 0.2


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=30, rate=math.inf, burst=math.inf)


async def test_the_slow_commands_of_one_call_together_wait_no_more_than_250_ms(valkey: ValkeyServer) -> None:
    clock = asyncio.get_running_loop().time
    async with relay(valkey) as way:
        engine = Engine(way.url)
        await engine.run("SET", "one", "1")
        way.delay, began, answers = COMMAND, clock(), 0
        with new_use():
            for number in range(20):
                try:
                    await engine.read("GET", f"key {number}")
                except StoreUnreachableError:
                    continue
                answers += 1
        assert 2 * COMMAND <= clock() - began < 0.25 + MARGIN
        assert answers == 2
        assert not engine.trouble, "it answers in time, only not often enough for this call"
        assert int(await engine.run("GET", "one")) == 1, "and another call is served"
        await engine.aclose()


async def test_a_command_goes_on_without_the_call_that_does_not_wait_for_it(
    valkey: ValkeyServer, engine: Engine
) -> None:
    async with relay(valkey) as way:
        slow = Engine(way.url)
        await slow.run("PING")
        way.delay = COMMAND
        with new_use():
            await slow.run("PING")
            await slow.run("PING")
            with pytest.raises(StoreUnreachableError):
                await slow.run("SET", "pinned", "1")
        with anyio.fail_after(5):
            while not await engine.run("GET", "pinned"):  # noqa: ASYNC110 - another process is waited for
                await anyio.sleep(0.01)
        await slow.aclose()


async def test_lists_and_pins_of_callers_who_signed_in_go_on_at_a_server_whose_engine_is_slow(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    async with relay(valkey) as way, team(portal, [valkey.url, way.url], 2) as here:
        memory = await sign_in(here, portal)
        slow = here.each[1]
        await call(slow, memory)
        way.delay = COMMAND
        for pin in (True, False) * 3:
            assert "inned" in await call(slow, memory, "pin_chat", dialog_id="chat1201", pin=pin)
            assert ("chat1201" in await call(slow, memory, show="pinned")) == pin
        assert not here.engines[1].trouble


@pytest.mark.parametrize("signed_in", [True, False])
async def test_one_request_asks_the_engine_at_most_three_times_on_average(
    portal: DemoPortal, valkey: ValkeyServer, *, signed_in: bool
) -> None:
    """Of callers who signed in, and of those who send a webhook; lists and pins in turn."""
    http = {"auth": ["bitrix24", "webhook-header"], "portals": ["demo.bitrix24.example"]}
    limits = {"rate": 1000, "burst": 1_000_000, "cache": 0}
    async with relay(valkey) as way, team(portal, way.url, 1, http=http, limits=limits) as here:
        webhook = portal.webhook(1, ORIGIN)
        by = (
            assistant(here.base, Person(portal, 1))
            if signed_in
            else caller(here.base, X_Bitrix24_Webhook=webhook)
        )
        async with by as client:
            await client.call_tool("list_recent_chats")
            asked, before = way.asked, len(portal.requests)
            for pin in (True, False) * 10:
                assert " of " in text(await client.call_tool("list_recent_chats"))
                await client.call_tool("pin_chat", {"dialog_id": "chat1201", "pin": pin})
        assert (way.asked - asked) / (len(portal.requests) - before) <= 3
