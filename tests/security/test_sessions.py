"""Sessions of the earlier era: many for the server, few for one caller, none for strangers."""

from pathlib import Path

import httpx
import stored_tokens
from bitrix24_chat_mcp.auth.grants import GrantStore
from bitrix24_chat_mcp.portal.oauth.token_store import FileTokenStore
from bitrix24_demo_portal import DemoPortal
from team.conftest import ORIGIN, Serve

from .http_wire import ACCEPT, HELLO


async def opened(http: httpx.AsyncClient, times: int, **credentials: str) -> list[str]:
    """Open sessions; return those that were given, "" for each that was refused."""
    headers = {**ACCEPT, **{name.replace("_", "-"): value for name, value in credentials.items()}}
    answers = [await http.post("/mcp", json=HELLO, headers=headers) for _ in range(times)]
    assert {answer.status_code for answer in answers} <= {200, 503}
    return [answer.headers.get("mcp-session-id", "") for answer in answers]


async def test_one_caller_cannot_take_all_sessions(serve: Serve, portal: DemoPortal) -> None:
    async with (
        serve(
            auth=["webhook-header"],
            portals=["demo.bitrix24.example"],
            max_sessions=20,
            max_sessions_per_caller=5,
        ) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        greedy = {"X_Bitrix24_Webhook": portal.webhook(7)}
        sessions = await opened(http, 30, **greedy)
        assert [bool(session) for session in sessions] == [True] * 5 + [False] * 25
        assert all(await opened(http, 5, X_Bitrix24_Webhook=portal.webhook(1)))
        ended = {"X-Bitrix24-Webhook": portal.webhook(7), "Mcp-Session-Id": sessions[0], **ACCEPT}
        assert (await http.delete("/mcp", headers=ended)).status_code == 200
        assert [bool(session) for session in await opened(http, 2, **greedy)] == [True, False]


async def test_a_user_with_several_clients_is_one_caller(
    serve: Serve, portal: DemoPortal, folder: Path
) -> None:
    async with (
        serve(
            auth=["bitrix24", "webhook-header"],
            portals=["demo.bitrix24.example"],
            max_sessions_per_caller=3,
        ) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        pair, key = portal.token(7), f"{ORIGIN}#7"
        stored_tokens.write(folder, key, portal=ORIGIN, user="7", access=pair.access, refresh=pair.refresh)
        grants = GrantStore(FileTokenStore(folder), b"k" * 32)
        for client in ("one", "two", "three"):
            token = (await grants.begin(client, key, ["chats"], f"{base}/mcp")).access_token
            assert all(await opened(http, 1, Authorization=f"Bearer {token}"))
        assert await opened(http, 1, X_Bitrix24_Webhook=portal.webhook(7)) == [""]


async def test_strangers_open_no_session_and_lock_nobody_out(serve: Serve, portal: DemoPortal) -> None:
    async with (
        serve(auth=["webhook-header"], portals=["demo.bitrix24.example"], max_sessions=3) as base,
        httpx.AsyncClient(base_url=base, headers=ACCEPT) as http,
    ):
        for path in ("/mcp", "/mcp/", "/mcp%0A"):
            for _ in range(5):
                assert (await http.post(path, json=HELLO)).status_code in {401, 404}
        assert all(await opened(http, 3, X_Bitrix24_Webhook=portal.webhook(7)))
