"""Access that is withdrawn ends what was opened with it: streams and subscriptions, in virtual time."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from bitrix24_chat_mcp.auth.grants import GrantStore
from bitrix24_chat_mcp.auth.webhooks import VERIFIED_SECONDS
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.transports import http_app
from bitrix24_chat_mcp.portal.oauth.local_store import FileTokenStore
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.runtime.caller import EVERY
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from starlette.applications import Starlette
from support.asgi import answer, asking
from support.conversation import VIRTUAL_TIME
from support.http_wire import ACCEPT, HELLO, headers, message
from support.stored_tokens import replace
from support.team import ORIGIN

RECENT = "bitrix24://recent"
LISTEN = message("subscriptions/listen", notifications={"resourceSubscriptions": [RECENT]})
LISTEN_TO_NOTHING = message("subscriptions/listen", notifications={"toolsListChanged": True})
SUBSCRIBE = {"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": RECENT}}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return VIRTUAL_TIME


@pytest.fixture
def store(folder: Path) -> FileTokenStore:
    return FileTokenStore(folder)


@pytest.fixture
async def app(portal: DemoPortal, store: FileTokenStore) -> AsyncGenerator[Starlette]:
    del store
    settings = Settings.model_validate(
        {
            "transport": "http",
            "oauth": {
                "portal": ORIGIN,
                "server": ORIGIN,
                "client_id": portal.client_id,
                "client_secret": portal.client_secret,
                "store": "file",
            },
            "http": {
                "public_url": "http://127.0.0.1:8000",
                "auth": ["bitrix24", "webhook-header"],
                "portals": ["demo.bitrix24.example"],
                "state_key": "k" * 32,
            },
        }
    )
    app = http_app(build_server(settings, HttpClient(transport=in_process(portal))), settings.http)
    async with app.router.lifespan_context(app):
        yield app


class Grant:
    """A user's sign-in, and the grant of one client."""

    def __init__(self, grants: GrantStore, token: str) -> None:
        self._grants = grants
        self._token = token
        self.headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def begin(cls, portal: DemoPortal, store: FileTokenStore) -> "Grant":
        pair, key = portal.token(7), f"{ORIGIN}#7"
        kept = {"portal": ORIGIN, "user": "7", "access": pair.access, "refresh": pair.refresh}
        await replace(store, key, json.dumps(kept))
        grants = GrantStore(store, b"k" * 32)
        tokens = await grants.begin("client", key, ["chats"], "http://127.0.0.1:8000/mcp")
        return cls(grants, tokens.access_token)

    async def end(self) -> None:
        found = await self._grants.by_access(self._token)
        assert found
        await self._grants.end(found[0].id)


async def test_a_listen_stream_ends_when_its_grant_is_revoked(
    app: Starlette, portal: DemoPortal, store: FileTokenStore
) -> None:
    grant = await Grant.begin(portal, store)
    async with asking(app, LISTEN, headers("subscriptions/listen") | grant.headers) as stream:
        await asyncio.sleep(EVERY * 2.5)
        assert stream.status == 200
        assert not stream.over
        polls = len(portal.requests)
        assert polls == 3
        await grant.end()
        await asyncio.sleep(EVERY)
        assert stream.over
        assert "The user's access has ended" in stream.said
        await asyncio.sleep(EVERY * 3)
        assert len(portal.requests) == polls


async def test_a_listen_stream_that_nothing_is_polled_for_ends_too(
    app: Starlette, portal: DemoPortal, store: FileTokenStore
) -> None:
    grant = await Grant.begin(portal, store)
    async with asking(app, LISTEN_TO_NOTHING, headers("subscriptions/listen") | grant.headers) as stream:
        await asyncio.sleep(EVERY * 2.5)
        assert not stream.over
        await grant.end()
        await asyncio.sleep(EVERY)
        assert stream.over
    assert not portal.requests


async def session_of(app: Starlette, credentials: dict[str, str]) -> dict[str, str]:
    """Open a session of 2025-11-25 that is subscribed to the recent chats."""
    opened = await answer(app, HELLO, ACCEPT | credentials)
    session = {**ACCEPT, **credentials, "Mcp-Session-Id": opened.headers["mcp-session-id"]}
    await answer(app, READY, session)
    assert '"result":{}' in (await answer(app, SUBSCRIBE, session)).said
    return session


async def test_a_subscription_of_a_session_ends_when_its_grant_is_revoked(
    app: Starlette, portal: DemoPortal, store: FileTokenStore
) -> None:
    grant = await Grant.begin(portal, store)
    await session_of(app, grant.headers)
    await asyncio.sleep(EVERY * 2.5)
    polls = len(portal.requests)
    assert polls == 3
    await grant.end()
    await asyncio.sleep(EVERY * 10)
    assert len(portal.requests) == polls


async def test_a_session_s_subscription_goes_on_with_its_latest_token(
    app: Starlette, portal: DemoPortal, store: FileTokenStore
) -> None:
    first = await Grant.begin(portal, store)
    session = await session_of(app, first.headers)
    second = await Grant.begin(portal, store)
    assert (await answer(app, SUBSCRIBE, session | second.headers)).status == 200
    await first.end()
    polls = len(portal.requests)
    await asyncio.sleep(EVERY * 2.5)
    assert len(portal.requests) > polls


async def test_a_session_s_get_stream_ends_when_its_grant_is_revoked(
    app: Starlette, portal: DemoPortal, store: FileTokenStore
) -> None:
    grant = await Grant.begin(portal, store)
    session = await session_of(app, grant.headers)
    async with asking(app, None, session, method="GET") as stream:
        await asyncio.sleep(EVERY * 2.5)
        assert stream.status == 200
        assert not stream.over
        await grant.end()
        await asyncio.sleep(EVERY)
        assert stream.over
    assert (await answer(app, SUBSCRIBE, session)).status == 401


async def test_a_session_s_get_stream_ends_when_the_portal_withdraws_its_webhook(
    app: Starlette, portal: DemoPortal
) -> None:
    session = await session_of(app, {"X-Bitrix24-Webhook": portal.webhook(7)})
    async with asking(app, None, session, method="GET") as stream:
        portal.revoked.add(7)
        await asyncio.sleep(VERIFIED_SECONDS - EVERY)
        assert not stream.over
        await asyncio.sleep(EVERY * 3)
        assert stream.over


@pytest.mark.parametrize("era", ["2026", "2025"])
async def test_a_webhook_that_the_portal_has_withdrawn_polls_no_more(
    app: Starlette, portal: DemoPortal, era: str
) -> None:
    webhook = {"X-Bitrix24-Webhook": portal.webhook(7)}
    asked = headers("subscriptions/listen") | webhook
    if era == "2025":
        await session_of(app, webhook)
        asked |= {"Mcp-Method": "tools/list"}
    async with asking(app, LISTEN if era == "2026" else message("tools/list"), asked) as stream:
        await asyncio.sleep(EVERY * 1.5)
        portal.revoked.add(7)
        await asyncio.sleep(VERIFIED_SECONDS + EVERY * 10)
        polls = len(portal.requests)
        assert portal.requests[-1].method == "profile", "the gate has asked the portal"
        await asyncio.sleep(EVERY * 30)
        assert len(portal.requests) == polls
        assert stream.over
