"""Several servers of one portal are the same thing to people as one."""

import math
import time
from collections import Counter

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.shared.token_store import SharedTokenStore
from bitrix24_demo_portal import DemoPortal, Fault
from mcp import Client
from mcp.shared.auth import OAuthToken
from support.conversation import Era, text
from support.sign_ins import renewals
from support.team import ORIGIN, STATE_KEY, Memory, Person, assistant, free_port

from bench.valkey import ValkeyServer

from .team import Team, team

LIMITS = {"rate": 1000, "burst": 1_000_000}


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=5, rate=math.inf, burst=math.inf)


async def listed(client: Client) -> str:
    return text(await client.call_tool("list_recent_chats", {"limit": 3}))


async def sign_in(here: Team, portal: DemoPortal, user: int = 1) -> Memory:
    memory = Memory()
    async with assistant(here.base, Person(portal, user), memory) as client:
        assert " of " in await listed(client)
    return memory


def bearer(memory: Memory) -> dict[str, str]:
    return {"Authorization": f"Bearer {memory.tokens.access_token}"} if memory.tokens else {}


async def test_oauth_begins_at_a_comes_back_to_b_exchanges_the_code_at_c_and_calls_d(
    portal: DemoPortal, valkey: ValkeyServer, era: Era
) -> None:
    async with team(portal, valkey.url) as here:
        here.proxy.routes |= {"/authorize": 0, "/sign-in/back": 1, "/token": 2, "/mcp": 3}
        async with assistant(here.base, Person(portal, 1), mode=era) as client:
            assert " of " in await listed(client)
        assert {0, 1, 2, 3} == {turn for turn, _ in here.proxy.requests}


async def test_each_request_of_a_conversation_may_go_to_another_server(
    portal: DemoPortal, valkey: ValkeyServer, era: Era
) -> None:
    async with team(portal, valkey.url) as here, assistant(here.base, Person(portal, 1), mode=era) as client:
        for _ in range(4):
            assert " of " in await listed(client)
        assert {0, 1, 2, 3} == {turn for turn, path in here.proxy.requests if path == "/mcp"}


async def test_oauth_codes_are_good_once_across_all_servers(portal: DemoPortal, valkey: ValkeyServer) -> None:
    async with team(portal, valkey.url) as here, httpx.AsyncClient() as http:
        memory = await sign_in(here, portal)
        assert " of " in await call(here.each[0], memory)
        spent = here.proxy.bodies["/token"]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for base in here.each:
            again = await http.post(f"{base}/token", content=spent, headers=headers)
            assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert (await post(here.each[1], memory, "list_recent_chats")).status_code == 401, "it ends the grant"


async def test_oauth_refresh_tokens_are_good_once_across_all_servers_and_an_old_one_ends_the_grant(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    async with team(portal, valkey.url) as here:
        memory = await sign_in(here, portal)
        assert memory.tokens
        stolen = memory.tokens.refresh_token
        answers: list[httpx.Response] = []
        async with anyio.create_task_group() as tasks:

            async def both(base: str) -> None:
                answers.append(await refresh(base, memory, stolen))

            for base in here.each * 2:
                tasks.start_soon(both, base)
        assert {answer.status_code for answer in answers} == {200}
        newer = {answer.json()["refresh_token"] for answer in answers}
        assert len(newer) == 1, "all at once are answered with the same tokens"
        newest = (await refresh(here.each[1], memory, newer.pop())).json()["refresh_token"]
        assert (await refresh(here.each[2], memory, stolen)).status_code == 400
        assert (await refresh(here.each[3], memory, newest)).status_code == 400, (
            "two parties use it: it has ended"
        )


async def test_eight_servers_with_one_expired_pair_make_one_request_to_the_oauth_server(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    async with team(portal, valkey.url, 8) as here:
        memory = await sign_in(here, portal)
        portal.tokens.expire(time.time())
        said: list[str] = []
        async with anyio.create_task_group() as tasks:

            async def ask(base: str) -> None:
                said.append(await call(base, memory))

            for base in here.each:
                tasks.start_soon(ask, base)
        assert all(" of " in answer for answer in said), said
        assert renewals(portal) == 2, "the code's exchange, and one renewal"


async def call(base: str, memory: Memory, tool: str = "list_recent_chats", **arguments: object) -> str:
    """Call a tool at one server, in the modern era."""
    response = await post(base, memory, tool, **arguments)
    assert response.status_code == 200, response.text
    return response.text


async def post(base: str, memory: Memory, tool: str, **arguments: object) -> httpx.Response:
    """As `call`, and return the whole answer."""
    async with httpx.AsyncClient(timeout=30) as http:
        return await post_by(http, base, memory, tool, **arguments)


async def post_by(
    http: httpx.AsyncClient, base: str, memory: Memory, tool: str, **arguments: object
) -> httpx.Response:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": meta},
    }
    headers = bearer(memory) | {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    return await http.post(f"{base}/mcp", json=body, headers=headers)


async def test_who_pins_at_a_never_reads_an_older_list_at_b(portal: DemoPortal, valkey: ValkeyServer) -> None:
    async with team(portal, valkey.url, 2, limits=LIMITS | {"cache": 60}) as here:
        memory = await sign_in(here, portal)
        a, b = here.each
        chat = "chat1201"
        for pin in (True, False) * 5:
            await call(b, memory, show="pinned")
            assert "inned" in await call(a, memory, "pin_chat", dialog_id=chat, pin=pin)
            assert (chat in await call(b, memory, show="pinned")) == pin


async def test_who_pins_at_a_does_not_join_a_list_that_b_asked_for_before(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    async with team(portal, valkey.url, 2, limits=LIMITS) as here:
        memory = await sign_in(here, portal)
        a, b = here.each
        portal.fail("im.recent.list", Fault(delay=1), calls=1)
        portal.fail("im.recent.get", Fault(delay=1), calls=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, b, memory)
            await anyio.sleep(0.3)
            await call(a, memory, "pin_chat", dialog_id="chat1201")
            assert "chat1201" in await call(b, memory, show="pinned")


async def test_what_lies_in_the_engine_is_useless_without_the_state_key(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    async with team(portal, valkey.url, 1) as here:
        memory = await sign_in(here, portal)
        engine = here.engines[0]
        dump = b""
        for key in await engine.run("KEYS", "*"):
            kind = (await engine.run("TYPE", key)).decode()
            read = {"hash": ["HGETALL", key], "zset": ["ZRANGE", key, 0, -1], "string": ["GET", key]}
            dump += key + str(await engine.run(*read[kind])).encode()
        assert memory.tokens
        request = next(request for request in portal.requests if request.method == "im.recent.get")
        secrets = [memory.tokens.access_token, memory.tokens.refresh_token or "", "demo.bitrix24.example"]
        assert request.user == 1
        assert not [secret for secret in secrets if secret.encode() in dump]
        stranger = SharedTokenStore(engine, Sealer(b"x" * 32))
        assert await stranger.load(f"{ORIGIN}#1") is None
        assert await SharedTokenStore(engine, Sealer(STATE_KEY.encode())).load(f"{ORIGIN}#1")


async def test_state_keys_can_be_rotated_while_people_stay_signed_in(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    old, new, port = STATE_KEY, "n" * 32, free_port()
    async with team(portal, valkey.url, 1, port=port) as here:
        memory = await sign_in(here, portal)
    for ring in ([old, new], [new, old]):
        async with team(portal, valkey.url, 1, port=port, http={"state_key": ring}) as here:
            assert " of " in await call(here.each[0], memory)
            memory = await renewed(here, memory)
    portal.tokens.expire(0)
    async with team(portal, valkey.url, 1, port=port, http={"state_key": [new, old]}) as here:
        assert " of " in await call(here.each[0], memory), "what is renewed is sealed by the new key"
    async with team(portal, valkey.url, 1, port=port, http={"state_key": new}) as here:
        assert " of " in await call(here.each[0], memory)


async def renewed(here: Team, memory: Memory) -> Memory:
    """Renew the tokens as a client does."""
    assert memory.tokens
    answer = await refresh(here.each[0], memory, memory.tokens.refresh_token)
    return Memory(OAuthToken.model_validate(answer.json()), memory.client)


async def refresh(base: str, memory: Memory, token: str | None) -> httpx.Response:
    assert memory.client
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": memory.client.client_id,
        "client_secret": memory.client.client_secret,
    }
    async with httpx.AsyncClient() as http:
        return await http.post(f"{base}/token", data={name: value for name, value in form.items() if value})


async def test_two_processes_of_one_program_that_renew_independently_stay_signed_in_for_a_week(
    portal: DemoPortal, valkey: ValkeyServer
) -> None:
    """Both read the shared tokens, renew within the grace of a minute, and store what they got."""
    async with team(portal, valkey.url, 2) as here:
        memory = await sign_in(here, portal)
        assert memory.tokens
        stolen = token = memory.tokens.refresh_token
        for _ in range(7 * 24):
            answers = [await refresh(base, memory, token) for base in here.each]
            assert [answer.status_code for answer in answers] == [200, 200]
            first, second = (answer.json()["refresh_token"] for answer in answers)
            assert first == second
            token = first
        assert (await refresh(here.each[0], memory, stolen)).status_code == 400
        assert (await refresh(here.each[1], memory, token)).status_code == 400, "a theft ends the grant"


async def test_the_bounds_per_caller_hold_across_servers_so_turns_are_fair_among_callers(
    valkey: ValkeyServer,
) -> None:
    """One caller is busy at both servers, with four times the calls; the others at one each."""
    rate = 20
    portal, limits = DemoPortal(chats=30, rate=rate, burst=40), {"rate": rate, "burst": 40, "cache": 0}
    async with team(portal, valkey.url, 2, limits=limits) as here, httpx.AsyncClient(timeout=30) as http:
        a, b = here.each
        memories = {user: await sign_in(here, portal, user) for user in (1, 5, 7)}

        async def keep(base: str, user: int) -> None:
            while True:
                await post_by(http, base, memories[user], "pin_chat", dialog_id="chat1201")

        with anyio.move_on_after(9):
            async with anyio.create_task_group() as tasks:
                for base, user in [(a, 1), (b, 1)] * 4 + [(a, 5), (b, 7)] * 2:
                    tasks.start_soon(keep, base, user)
                await anyio.sleep(3)
                portal.requests.clear()
        turns = Counter(request.user for request in portal.requests)
        fair = turns.total() / 3
        assert turns.total() >= 0.9 * 6 * rate
        assert all(abs(turns[user] - fair) < fair / 4 for user in memories), turns
        assert not [request for request in portal.requests if request.error == "QUERY_LIMIT_EXCEEDED"]


async def test_refused_attempts_of_one_network_are_counted_across_servers(valkey: ValkeyServer) -> None:
    portal = DemoPortal(chats=5, rate=math.inf, burst=math.inf)
    http_settings = {"auth": ["webhook-header"], "portals": ["demo.bitrix24.example"]}
    async with team(portal, valkey.url, 4, http=http_settings) as here, httpx.AsyncClient() as http:
        said = Counter[str]()
        for number in range(24):
            headers = {"X-Bitrix24-Webhook": f"{ORIGIN}/rest/1/invented{number}/"}
            answer = await http.post(f"{here.each[number % 4]}/mcp", json={}, headers=headers)
            said[answer.json()["error_description"].split(":")[1].strip()] += 1
        assert len(portal.requests) == 10
        assert said["NOT_VERIFIED"] == 14, "the portal was not asked for these"
