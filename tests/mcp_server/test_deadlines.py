"""What a client sees of waiting: progress, the age of an answer, the deadline; in virtual time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal, Fault
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp_types import ElicitRequestParams, ElicitResult
from support.conversation import VIRTUAL_TIME, Era, facts, text

BEGIN = 1_795_000_000


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return VIRTUAL_TIME


@asynccontextmanager
async def connected(
    era: Era, asked: ElicitationFnT | None = None, **limits: object
) -> AsyncGenerator[tuple[Client, DemoPortal]]:
    portal = DemoPortal(clock=lambda: BEGIN + asyncio.get_running_loop().time())
    settings = Settings.model_validate(
        {"webhook_url": portal.webhook(), "limits": limits, "toolsets": ["tidy"] if asked else []}
    )
    server = build_server(settings, HttpClient(transport=in_process(portal)))
    async with Client(server, mode=era, elicitation_callback=asked) as client:
        yield client, portal


async def test_a_repeated_list_says_how_old_it_is_and_a_write_makes_it_new(era: Era) -> None:
    async with connected(era, cache=3) as (client, portal):
        await client.call_tool("list_recent_chats")
        await asyncio.sleep(2)
        again = await client.call_tool("list_recent_chats")
        assert "; 2 s old" in text(again)
        assert len(portal.requests) == 1
        await client.call_tool("pin_chat", {"dialog_id": "chat1215"})
        new = facts(await client.call_tool("list_recent_chats"))
        assert next(chat for chat in new["chats"] if chat["dialog_id"] == "chat1215")["pinned"]


async def test_with_the_cache_off_every_list_is_asked_for(era: Era) -> None:
    async with connected(era, cache=0) as (client, portal):
        await client.call_tool("list_recent_chats")
        await client.call_tool("list_recent_chats")
        assert len(portal.requests) == 2


async def test_waiting_for_the_bucket_is_reported_to_a_client_that_asks(era: Era) -> None:
    told: list[str | None] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        told.append(message)

    async with connected(era, rate=0.2, burst=5, cache=0) as (client, _):
        await asyncio.gather(
            *(
                client.call_tool("list_recent_chats", {"last_update": f"2026-11-17T00:00:{n:02}Z"})
                for n in range(20)
            ),
            client.call_tool("pin_chat", {"dialog_id": "chat1215"}, progress_callback=report),
        )
    assert told
    assert told[0]
    assert told[0].startswith("Waiting for the portal's rate limit: ")


async def test_a_call_ends_by_its_deadline_and_says_whether_a_write_may_have_happened(era: Era) -> None:
    async with connected(era, deadline=5) as (client, portal):
        portal.fail("*", Fault(silent=True))
        begun = asyncio.get_running_loop().time()
        listed = await client.call_tool("list_recent_chats")
        assert asyncio.get_running_loop().time() - begun <= 5
        pinned = await client.call_tool("pin_chat", {"dialog_id": "chat1215"})
    assert listed.is_error
    assert pinned.is_error
    assert "may have" not in text(listed)
    assert "may have" in text(pinned)


async def test_a_user_who_is_asked_may_take_longer_than_a_call_may_last(era: Era) -> None:
    async def slow(context: object, params: ElicitRequestParams) -> ElicitResult:
        del context, params
        await asyncio.sleep(60)
        return ElicitResult(action="accept", content={"proceed": True})

    async with connected(era, slow, deadline=5) as (client, _):
        hidden = await client.call_tool("hide_chat", {"dialog_id": "7"})
    assert facts(hidden)["hidden"], text(hidden)
