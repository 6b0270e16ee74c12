"""The vendor's documented answers come out right. They are not part of the project."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.settings.load import Settings
from mcp import Client
from support.conversation import Era, facts, text

EXAMPLES = Path(__file__).parents[3] / "shared" / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the documented answers are not at hand")


def documented(name: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def server(status: int, body: dict[str, Any]) -> Any:
    settings = Settings.model_validate({"webhook_url": "https://acme.bitrix24.example/rest/503/code/"})
    answer = httpx.MockTransport(lambda _: httpx.Response(status, json=body))
    return build_server(settings, HttpClient(transport=lambda: answer))


async def test_the_documented_list(era: Era) -> None:
    async with Client(server(200, documented("im.recent.get")), mode=era) as client:
        page = facts(await client.call_tool("list_recent_chats"))
    assert page["total"] == 2
    assert page["as_of"] == "2026-02-26T09:07:18+03:00"
    assert page["chats"][0] == {
        "dialog_id": "chat1451",
        "title": "Maximally Complete Task Template",
        "kind": "task",
        "last_text": "John Doe created a task [Attachment]",
        "last_at": "02-26 00:01",
        "link": "https://acme.bitrix24.example/company/personal/user/503/tasks/task/view/8293/",
    }


async def test_the_documented_items_of_the_neighbouring_list(era: Era) -> None:
    items = documented("im.recent.list")["result"]["items"]
    async with Client(server(200, {"result": items}), mode=era) as client:
        page = facts(await client.call_tool("list_recent_chats"))
    rows = {row["dialog_id"]: row for row in page["chats"]}
    assert list(rows) == [str(item["id"]) for item in items]
    assert [row["title"] for row in rows.values()] == [item["title"] for item in items]
    assert rows["547"]["kind"] == "person"


async def test_the_documented_pin(era: Era) -> None:
    async with Client(server(200, documented("im.recent.pin")), mode=era) as client:
        assert facts(await client.call_tool("pin_chat", {"dialog_id": "chat1"}))["pinned"] is True


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("im.recent.get.error", 401, "INVALID_CREDENTIALS"), ("im.recent.pin.error", 400, "DIALOG_ID_EMPTY")],
)
async def test_the_documented_errors(era: Era, name: str, status: int, code: str) -> None:
    async with Client(server(status, documented(name)), mode=era) as client:
        for tool, arguments in {"list_recent_chats": {}, "pin_chat": {"dialog_id": "chat1"}}.items():
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert text(result).startswith(f"{code}: ")
