"""The page that hosts with MCP Apps show: offered by a link on one tool, and switched off by a setting."""

import json
from pathlib import Path
from typing import Any

import bitrix24_chat_mcp
import pytest
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.shared.exceptions import MCPError
from support.conversation import Conversation, connected, facts, text
from support.tokens import count_json

URI = "ui://bitrix24/chats"
PAGE = Path(bitrix24_chat_mcp.__file__).parent / "mcp_server" / "chats.html"


async def _tools(client: Client) -> list[dict[str, Any]]:
    tools = (await client.list_tools()).tools
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]


async def _config(client: Client) -> dict[str, Any]:
    (content,) = (await client.read_resource(URI)).contents
    after = content.model_dump()["text"].partition('<script id="config" type="application/json">')[2]
    return json.loads(after.partition("</script>")[0])


async def test_ui_adds_a_link_to_one_tool_and_nothing_else(converse: Conversation) -> None:
    async with converse() as client:
        shown = await _tools(client)
    async with converse(ui="off") as client:
        plain = await _tools(client)
    assert shown[0].pop("_meta") == {"ui": {"resourceUri": URI}}
    assert shown == plain


async def test_ui_costs_at_most_20_tokens(converse: Conversation) -> None:
    async with converse() as client:
        shown = count_json(await _tools(client))
    async with converse(ui="off") as client:
        assert 0 < shown - count_json(await _tools(client)) <= 20


async def test_ui_off_leaves_no_trace(portal: DemoPortal) -> None:
    async with connected(portal, ui="off") as client:
        assert not (await client.list_resources()).resources[1:]
        assert not client.server_capabilities.extensions
        with pytest.raises(MCPError):
            await client.read_resource(URI)
    async with connected(portal) as client:
        assert EXTENSION_ID in (client.server_capabilities.extensions or {})


async def test_an_answer_is_the_same_with_and_without_ui(portal: DemoPortal) -> None:
    async with connected(portal) as client:
        shown = await client.call_tool("list_recent_chats")
    async with connected(portal, ui="off") as client:
        plain = await client.call_tool("list_recent_chats")
    assert (text(shown), facts(shown)) == (text(plain), facts(plain))


async def test_with_marks_the_page_is_told_the_last_messages_and_the_model_is_not(
    converse: Conversation, portal: DemoPortal
) -> None:
    arguments: dict[str, object] = {"limit": 5, "detail": "brief"}
    async with converse() as client:
        plain = await client.call_tool("list_recent_chats", arguments)
    async with converse(toolsets=["marks"]) as client:
        shown = await client.call_tool("list_recent_chats", arguments)
        (tool, *_) = (await client.list_tools()).tools
    assert "last_id" not in json.dumps(tool.output_schema)
    assert (text(shown), facts(shown)) == (text(plain), facts(plain))
    ids = {row["dialog_id"] for row in facts(shown)["chats"]}
    last = (shown.meta or {})["io.github.bitrix24-chat-mcp/last-messages"]
    assert last.keys() == ids
    assert last["chat1201"] == portal.world.chats[1201].messages[-1].id
    for without in ({}, {"toolsets": ["marks"], "ui": "off"}, {"toolsets": ["marks"], "read_only": True}):
        async with converse(**without) as client:
            meta = (await client.call_tool("list_recent_chats", arguments)).meta
        assert "last-messages" not in str(meta)


async def test_the_page_is_one_small_file_that_asks_for_nothing(converse: Conversation) -> None:
    async with converse() as client:
        listed = {resource.uri: resource for resource in (await client.list_resources()).resources}
        (content,) = (await client.read_resource(URI)).contents
    assert listed[URI].mime_type == content.mime_type == APP_MIME_TYPE
    assert listed[URI].meta == content.meta == {"ui": {"prefersBorder": True}}
    page = PAGE.read_text()
    assert len(page.encode()) <= 16_000
    for foreign in ("http:", "https://", "src=", "href=", "@import", "url("):
        assert foreign not in page
    for unsafe in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Storage",
        "cookie",
    ):
        assert unsafe not in page


async def test_the_page_knows_the_tools_and_the_portal(converse: Conversation, portal: DemoPortal) -> None:
    async with converse() as client:
        config = await _config(client)
    assert config == {"tools": ["list_recent_chats", "pin_chat"], "portal": "https://demo.bitrix24.example"}
    async with converse(read_only=True) as client:
        assert (await _config(client))["tools"] == ["list_recent_chats"]
    async with converse(webhook_url=None) as client:
        assert (await _config(client))["portal"] == ""
    assert not portal.requests, "reading it asks the portal nothing"
