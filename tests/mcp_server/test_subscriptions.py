"""A host watches the recent chats, in virtual time: a poll runs only while somebody listens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.resources import RECENT
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.runtime.caller import EVERY
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from mcp.shared.subscriptions import ResourceUpdated
from mcp_types import (
    EmptyResult,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)
from support.conversation import VIRTUAL_TIME

BEGIN = 1_795_000_000


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return VIRTUAL_TIME


@asynccontextmanager
async def connected(mode: str, heard: list[str]) -> AsyncGenerator[tuple[Client, DemoPortal]]:
    portal = DemoPortal(clock=lambda: BEGIN + asyncio.get_running_loop().time())
    settings = Settings.model_validate({"webhook_url": portal.webhook(), "toolsets": ["marks"]})

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            heard.append(str(message.params.uri))

    server = build_server(settings, HttpClient(transport=in_process(portal)))
    async with Client(server, mode=mode, message_handler=hear) as client:  # pyright: ignore[reportArgumentType]
        yield client, portal


async def subscribe(client: Client, uri: str = RECENT) -> None:
    """Subscribe as a client of the earlier era does."""
    params = SubscribeRequestParams(uri=uri)
    await client.session.send_request(SubscribeRequest(params=params), EmptyResult)


async def unsubscribe(client: Client) -> None:
    params = UnsubscribeRequestParams(uri=RECENT)
    await client.session.send_request(UnsubscribeRequest(params=params), EmptyResult)


async def test_a_listener_hears_of_a_new_message_and_of_nothing_else() -> None:
    async with connected("auto", []) as (client, portal):
        async with client.listen(resource_subscriptions=[RECENT]) as events:
            await asyncio.sleep(EVERY * 3.5)
            polls = len(portal.requests)
            assert polls == 4, "one to learn the portal's clock, and three"
            portal.say("chat1201", 9, "Есть новости")
            event = await anext(aiter(events))
            assert event == ResourceUpdated(uri=RECENT)
            assert len(portal.requests) == polls + 1
        await asyncio.sleep(EVERY * 3.5)
        assert len(portal.requests) <= polls + 2, "nobody listens, so nobody polls"


async def test_a_session_of_the_earlier_era_subscribes_and_unsubscribes() -> None:
    heard: list[str] = []
    async with connected("legacy", heard) as (client, portal):
        await subscribe(client)
        portal.say("chat1201", 9, "Есть новости")
        await asyncio.sleep(EVERY * 3.5)
        assert heard == [RECENT]
        await unsubscribe(client)
        polls = len(portal.requests)
        await asyncio.sleep(EVERY * 3.5)
        assert len(portal.requests) == polls


async def test_a_listener_hears_at_once_of_what_this_server_has_changed() -> None:
    """A list of changes does not show that a chat was muted, or hidden."""
    async with connected("auto", []) as (client, _), client.listen(resource_subscriptions=[RECENT]) as events:
        await asyncio.sleep(EVERY / 2)
        began = asyncio.get_running_loop().time()
        await client.call_tool("mute_chat", {"dialog_id": "chat1201", "muted": True})
        assert await anext(aiter(events)) == ResourceUpdated(uri=RECENT)
        assert asyncio.get_running_loop().time() - began < EVERY / 4


async def test_nobody_is_promised_to_hear_of_what_is_not_watched() -> None:
    chat = "bitrix24://chat/chat1201"
    async with (
        connected("auto", []) as (client, portal),
        client.listen(resource_subscriptions=[chat, RECENT]) as events,
        client.listen(resource_subscriptions=[chat]) as no_events,
    ):
        assert events.honored.resource_subscriptions == [RECENT]
        assert not no_events.honored.resource_subscriptions
        await asyncio.sleep(EVERY / 2)
        assert len(portal.requests) == 1
    async with connected("legacy", []) as (client, portal):
        await subscribe(client, chat)  # the earlier era has no answer that would leave it out
        assert not portal.requests


async def test_so_does_a_session_of_the_earlier_era() -> None:
    heard: list[str] = []
    async with connected("legacy", heard) as (client, _):
        await subscribe(client)
        await asyncio.sleep(EVERY / 2)
        await client.call_tool("mute_chat", {"dialog_id": "chat1201", "muted": True})
        await asyncio.sleep(EVERY / 4)
        assert set(heard) == {RECENT}


async def test_the_end_of_a_session_is_the_end_of_its_poll() -> None:
    async with connected("legacy", []) as (client, portal):
        await subscribe(client)
    polls = len(portal.requests)
    await asyncio.sleep(EVERY * 3.5)
    assert len(portal.requests) == polls
