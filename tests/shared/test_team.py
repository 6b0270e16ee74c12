"""Several servers of one portal are the same thing to people as one."""

import math
import time

import anyio
import httpx
import pytest
from bitrix24_demo_portal import DemoPortal
from conversation import Era, text
from mcp import Client
from signing_in.conftest import renewals
from team.conftest import Memory, Person, assistant

from bench.valkey import ValkeyServer

from .team import Team, team


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
    assert memory.tokens
    return {"Authorization": f"Bearer {memory.tokens.access_token}"}


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
    async with team(portal, valkey.url) as here, httpx.AsyncClient() as http:
        memory = await sign_in(here, portal)
        assert memory.tokens
        assert memory.client
        stolen = memory.tokens.refresh_token

        async def renew(base: str, token: str | None) -> httpx.Response:
            assert memory.client
            form = {
                "grant_type": "refresh_token",
                "refresh_token": token,
                "client_id": memory.client.client_id,
                "client_secret": memory.client.client_secret,
            }
            form = {name: value for name, value in form.items() if value}
            return await http.post(f"{base}/token", data=form)

        answers: list[httpx.Response] = []
        async with anyio.create_task_group() as tasks:

            async def both(base: str) -> None:
                answers.append(await renew(base, stolen))

            for base in here.each * 2:
                tasks.start_soon(both, base)
        assert {answer.status_code for answer in answers} == {200}
        newer = {answer.json()["refresh_token"] for answer in answers}
        assert len(newer) == 1, "all at once are answered with the same tokens"
        newest = (await renew(here.each[1], newer.pop())).json()["refresh_token"]
        assert (await renew(here.each[2], stolen)).status_code == 400
        assert (await renew(here.each[3], newest)).status_code == 400, "two parties use it: it has ended"


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
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(f"{base}/mcp", json=body, headers=headers)
