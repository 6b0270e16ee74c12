"""Bitrix24 pins 45 chats and answers `false`, not an error, to one more."""

from typing import Any

import httpx
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from support.conversation import Conversation, Era, facts, raw, text


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=300, burst=1000)


async def test_the_46th_pin_is_refused_with_the_limit(converse: Conversation) -> None:
    async with converse() as client:
        listed = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
        free = [chat["dialog_id"] for chat in listed["chats"] if chat["kind"] in {"group", "task"}]
        for dialog_id in free:
            result = await client.call_tool("pin_chat", {"dialog_id": dialog_id})
            if result.is_error:
                break
        else:
            pytest.fail("no pin was refused")
        pinned = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
        assert text(result).startswith("PIN_LIMIT: 45 chats are pinned already")
        assert sum(chat.get("pinned", False) for chat in pinned["chats"]) <= 45
        unpinned = await client.call_tool("pin_chat", {"dialog_id": free[0], "pin": False})
        assert not unpinned.is_error
        assert not (await client.call_tool("pin_chat", {"dialog_id": dialog_id})).is_error


async def test_an_older_portal_s_lower_limit_is_told_as_the_limit_it_is(
    converse: Conversation, portal: DemoPortal
) -> None:
    portal.build = "old"
    async with converse() as client:
        listed = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
        free = [chat["dialog_id"] for chat in listed["chats"] if chat["kind"] == "group"]
        answers = [text(await client.call_tool("pin_chat", {"dialog_id": dialog_id})) for dialog_id in free]
    refused = [answer for answer in answers if not answer.startswith(("Pinned", "“"))]
    assert refused
    assert all(answer.startswith("PIN_LIMIT: 25 chats are pinned already") for answer in refused)


async def test_at_the_limit_a_pinned_chat_is_said_to_be_pinned_already(
    converse: Conversation, portal: DemoPortal
) -> None:
    """The portal says `false` of it, too."""
    async with converse() as client:
        listed = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
        for chat in listed["chats"]:
            if chat["kind"] in {"group", "task"}:
                await raw(portal, f"im.recent.pin?DIALOG_ID={chat['dialog_id']}&PIN=Y")
        pinned = facts(await client.call_tool("list_recent_chats", {"show": "pinned"}))["chats"]
    async with converse() as client:  # that knows nothing yet
        again = await client.call_tool("pin_chat", {"dialog_id": pinned[-1]["dialog_id"]})
    assert "was pinned already, nothing changed; pinned chats now: 45" in text(again)


async def test_false_below_the_limit_means_no_relation_to_the_chat(era: Era) -> None:
    """Builds before 2026 say `false` to strangers, too."""
    results: dict[str, Any] = {
        "im.recent.pin": False,
        "im.recent.list": {"items": [{"id": "chat1", "pinned": True}], "hasMore": False},
        "im.recent.get": [{"id": "chat2"}],
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"result": results[request.url.path.rpartition("/")[2]]})

    settings = Settings.model_validate({"webhook_url": "https://old.bitrix24.example/rest/1/code/"})
    server = build_server(settings, HttpClient(transport=lambda: httpx.MockTransport(answer)))
    async with Client(server, mode=era) as client:
        pin = await client.call_tool("pin_chat", {"dialog_id": "chat7"})
        unpin = await client.call_tool("pin_chat", {"dialog_id": "chat7", "pin": False})
        listed = await client.call_tool("pin_chat", {"dialog_id": "chat2"})
    assert text(pin).startswith("NOT_PINNED: The portal did nothing")
    assert text(listed).startswith("NOT_PINNED: The portal did nothing and gave no reason")
    assert text(unpin).startswith("NOT_UNPINNED: The portal did nothing")


async def test_a_workgroup_s_chat_is_pinned_by_its_own_id(converse: Conversation, portal: DemoPortal) -> None:
    """The portal says `true` to `sgN` and pins nothing."""
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": "SG121"})
        assert not result.is_error
        asked = [(request.method, dict(request.params)) for request in portal.requests]
        dialog_id = facts(result)["dialog_id"]
    assert dialog_id.startswith("chat")
    assert asked[-1] == ("im.recent.pin", {"DIALOG_ID": dialog_id, "PIN": "Y"})
