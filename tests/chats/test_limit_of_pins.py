"""Bitrix24 pins 45 chats and answers `false`, not an error, to one more."""

from typing import Any

import httpx
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.server import ChatServer
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from mcp_types import CallToolResult
from support.conversation import Conversation, Era, facts, text


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=300, burst=1000)


async def fill(client: Client) -> tuple[list[str], CallToolResult]:
    """Pin chats until one is refused; return their ids, and the refusal of the last."""
    listed = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
    asked: list[str] = []
    for chat in listed["chats"]:
        if chat["kind"] in {"group", "task"}:
            asked.append(chat["dialog_id"])
            result = await client.call_tool("pin_chat", {"dialog_id": asked[-1]})
            if result.is_error:
                return asked, result
    pytest.fail("no pin was refused")


async def test_the_46th_pin_is_refused_with_the_limit(converse: Conversation) -> None:
    async with converse() as client:
        asked, result = await fill(client)
        pinned = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
        assert text(result).startswith("PIN_LIMIT: 45 chats are pinned already")
        assert sum(chat.get("pinned", False) for chat in pinned["chats"]) <= 45
        unpinned = await client.call_tool("pin_chat", {"dialog_id": asked[0], "pin": False})
        assert not unpinned.is_error
        assert not (await client.call_tool("pin_chat", {"dialog_id": asked[-1]})).is_error


async def test_at_the_limit_a_chat_that_is_pinned_already_is_no_error(converse: Conversation) -> None:
    """The portal says `false` to it, too."""
    async with converse() as client:
        asked, _ = await fill(client)
        again = await client.call_tool("pin_chat", {"dialog_id": asked[0]})
    assert not again.is_error
    assert facts(again)["changed"] is False
    assert "was pinned already, nothing changed" in text(again)


@pytest.mark.parametrize("known", [True, False])
async def test_builds_of_2024_say_false_at_25_pins(era: Era, *, known: bool) -> None:
    pins = [{"id": f"chat{number}", "pinned": True} for number in range(1, 26)]
    results: dict[str, Any] = {
        "im.recent.pin": False,
        "im.recent.list": {"items": [*pins, {"id": "chat77"}][: 26 if known else 25], "hasMore": False},
        "im.recent.get": [{"id": "chat77"}] if known else [],
    }
    async with Client(old_portal(results), mode=era) as client:
        said = text(await client.call_tool("pin_chat", {"dialog_id": "chat77"}))
    assert said.startswith("PIN_LIMIT: 25 chats" if known else "NOT_PINNED: ")


def old_portal(results: dict[str, Any]) -> ChatServer:
    """Return a server of a portal that always answers this."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"result": results[request.url.path.rpartition("/")[2]]})

    settings = Settings.model_validate({"webhook_url": "https://old.bitrix24.example/rest/1/code/"})
    return build_server(settings, HttpClient(transport=lambda: httpx.MockTransport(answer)))


async def test_false_below_the_limit_means_no_relation_to_the_chat(era: Era) -> None:
    """Builds before 2026 say `false` to strangers, too."""
    results: dict[str, Any] = {
        "im.recent.pin": False,
        "im.recent.list": {"items": [{"id": "chat1", "pinned": True}], "hasMore": False},
        "im.recent.get": [],
    }
    async with Client(old_portal(results), mode=era) as client:
        pin = await client.call_tool("pin_chat", {"dialog_id": "chat7"})
        unpin = await client.call_tool("pin_chat", {"dialog_id": "chat7", "pin": False})
    assert text(pin).startswith("NOT_PINNED: The portal did nothing")
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
