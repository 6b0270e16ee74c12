"""The engine fails: less speed and still no 503, and whoever cannot be served is told so."""

from collections import Counter
from collections.abc import Callable

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.shared.rate_limit import SharedRateLimiter
from bitrix24_chat_mcp.portal.shared.servers import Servers
from bitrix24_demo_portal import DemoPortal
from support.team import Memory

from bench.valkey import ValkeyServer

from .relay import relay
from .team import Team, team
from .test_team import call, post_by, sign_in

RATE, BURST = 20, 40
LIMITS = {"rate": RATE, "burst": BURST, "cache": 0}


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=30, rate=RATE, burst=BURST)


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    with anyio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110 - processes are waited for
            await anyio.sleep(0.02)


async def flood(here: Team, memory: Memory, seconds: float) -> list[str]:
    """Pin at every server, without a pause, for so long; return what is said."""
    said: list[str] = []
    async with httpx.AsyncClient(timeout=30) as http:
        with anyio.move_on_after(seconds):
            async with anyio.create_task_group() as tasks:

                async def keep(base: str) -> None:
                    while True:
                        answer = await post_by(http, base, memory, "pin_chat", dialog_id="chat1201")
                        assert answer.status_code == 200, answer.text
                        said.append(answer.text)

                for base in here.each * 2:
                    tasks.start_soon(keep, base)
    return said


def refused(portal: DemoPortal) -> int:
    return Counter(request.error for request in portal.requests)["QUERY_LIMIT_EXCEEDED"]


@pytest.mark.parametrize("how", ["stopped", "frozen"])
async def test_the_engine_fails_and_lists_and_pins_go_on_without_a_503(
    portal: DemoPortal, valkey: ValkeyServer, how: str
) -> None:
    async with team(portal, valkey.url, 3, limits=LIMITS) as here, httpx.AsyncClient() as http:
        memory = await sign_in(here, portal)
        assert await flood(here, memory, 2)
        if how == "stopped":
            valkey.stop()
        else:
            valkey.freeze()
        said = await flood(here, memory, 3)
        assert said
        assert not [answer for answer in said if "STORE_UNREACHABLE" in answer]
        assert refused(portal) == 0
        for base in here.each:
            assert (await http.get(f"{base}/healthz")).status_code == 200
            ready = await http.get(f"{base}/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
            assert ready.json()["reason"].startswith("shared.url: it ")
        if how == "stopped":
            valkey.start()
        else:
            valkey.thaw()
        await until(lambda: not any(engine.trouble for engine in here.engines))
        for base in here.each:
            assert (await http.get(f"{base}/readyz")).status_code == 200
        memory = await sign_in(here, portal)
        assert await flood(here, memory, 2)
        assert refused(portal) == 0


async def test_an_engine_unreachable_from_one_server_causes_no_503(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    async with (
        relay(valkey) as way,
        team(portal, [valkey.url, valkey.url, valkey.url, way.url], 4, limits=LIMITS) as here,
    ):
        memory = await sign_in(here, portal)
        assert await flood(here, memory, 2)
        way.cut()
        assert await flood(here, memory, 3)
        assert [bool(engine.trouble) for engine in here.engines] == [False, False, False, True]
        way.mend()
        await until(lambda: not any(engine.trouble for engine in here.engines))
        assert await flood(here, memory, 2)
        assert refused(portal) == 0


async def test_what_cannot_be_done_without_the_engine_says_store_unreachable(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    async with team(portal, valkey.url, 2) as here, httpx.AsyncClient() as http:
        memory = await sign_in(here, portal)
        assert memory.tokens
        assert memory.client
        for base in here.each:
            assert " of " in await call(base, memory)
        valkey.freeze()
        portal.tokens.expire(0)
        assert "STORE_UNREACHABLE: " in await call(here.each[0], memory)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": memory.tokens.refresh_token,
            "client_id": memory.client.client_id,
            "client_secret": memory.client.client_secret,
        }
        answer = await http.post(f"{here.each[1]}/token", data=form)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert answer.json()["error"] == "temporarily_unavailable"
        assert answer.json()["error_description"].startswith("STORE_UNREACHABLE: ")
        valkey.thaw()
        await until(lambda: not any(engine.trouble for engine in here.engines))
        for base in here.each:
            assert " of " in await call(base, memory), "nobody was signed out by that"


async def test_a_server_tells_the_engine_when_it_is_back_what_it_sent_alone(
    valkey: ValkeyServer, engine: Engine
) -> None:
    user = parse_webhook(DemoPortal().webhook(1))
    async with relay(valkey) as way:
        own = Engine(way.url)
        servers = Servers(own, "")
        limiter = SharedRateLimiter(own, servers, "portal", rate=RATE, burst=BURST, deadline=5)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(servers.run)
            await until(lambda: servers.count == 1)
            assert (await limiter.try_acquire([user])).caller
            way.cut()
            sent = 0
            while sent < 10:
                turn = await limiter.try_acquire([user])
                sent += turn.caller is not None
                await anyio.sleep(turn.wait)
            way.mend()
            await until(lambda: not own.trouble)
            await limiter.try_acquire([user])
            (name,) = await engine.run("KEYS", "*:level")
            assert float(await engine.run("HGET", name, "level")) >= sent
            tasks.cancel_scope.cancel()
        await own.aclose()
