"""Whole answers, read as product text."""

from typing import Any

import httpx
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.settings.load import Settings
from mcp import Client
from support.conversation import Conversation, Era, facts, text
from syrupy.assertion import SnapshotAssertion


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("list_recent_chats", {"limit": 12}),
        ("list_recent_chats", {"show": "attention", "limit": 10}),
        ("list_recent_chats", {"query": "кузнецовой"}),
        ("list_recent_chats", {"query": "jhkjd", "detail": "brief"}),
        ("list_recent_chats", {"query": "романовой", "kinds": "person"}),
        ("list_recent_chats", {"query": "northwind redesign", "detail": "full"}),
        ("list_recent_chats", {"show": "unread", "kinds": ["task", "bot"], "detail": "brief"}),
        ("list_recent_chats", {"kinds": "channel, collab", "detail": "full"}),
        ("list_recent_chats", {"show": "pinned"}),
        ("list_recent_chats", {"only_openlines": True}),
        ("list_recent_chats", {"last_sync_date": "2026-11-21T17:00:00+03:00", "skip_chat": True}),
        ("list_recent_chats", {"last_sync_date": "2026-11-01T00:00:00+03:00", "limit": 2}),
        ("pin_chat", {"dialog_id": "chat999999"}),
        ("pin_chat", {"dialog_id": 1}),
        ("pin_chat", {}),
    ],
    ids=[
        "the first page",
        "attention",
        "a name",
        "a wrong keyboard layout",
        "nobody of that name",
        "all about one chat, in English",
        "brief",
        "full",
        "pinned",
        "clients",
        "changes",
        "changes of three weeks",
        "a stranger's chat",
        "notes",
        "nothing",
    ],
)
async def test_an_answer_reads_well(
    converse: Conversation, snapshot: SnapshotAssertion, tool: str, arguments: dict[str, object]
) -> None:
    async with converse() as client:
        result = await client.call_tool(tool, arguments)
    assert text(result) == snapshot(name="text")
    assert result.structured_content == snapshot(name="structure")


TASK: dict[str, Any] = {
    "id": "chat1451",
    "chat_id": 1451,
    "type": "chat",
    "title": "Prepare the offer",
    "message": {
        "id": 84501,
        "text": "Anna created a task [Attachment]",
        "file": False,
        "author_id": 0,
        "attach": True,
        "sticker": None,
        "date": "2026-02-26T00:01:26+03:00",
        "status": "received",
        "uuid": None,
    },
    "counter": 2,
    "pinned": False,
    "unread": True,
    "date_update": "2026-02-26T00:01:26+03:00",
    "chat": {
        "id": 1451,
        "type": "tasksTask",
        "entity_type": "TASKS_TASK",
        "message_type": "X",
        "mute_list": {"1": True},
        "entity_link": {"type": "TASKS", "url": "/company/personal/user/1/tasks/task/view/8293/?ta_sec=x"},
    },
    "user": {"id": 0},
    "options": [],
}
SECOND = {**TASK, "id": "chat1452", "title": "Second"}
# Shapes in which the portal, or a build of it, is known to send a row, or might.
ODD_ROWS: list[object] = [
    None,
    [],
    "chat5",
    {},
    {"id": None},
    {"id": True},
    {"id": "notify"},
    {**SECOND, "user": [], "avatar": [], "title": []},
    {**SECOND, "id": 547, "type": "user", "chat": [], "user": []},
    {**SECOND, "id": "547", "type": "user"},
    {**SECOND, "message": []},
    {**SECOND, "message": None, "chat": None, "user": None},
    {**SECOND, "message": {"id": 0, "text": "", "author_id": "503", "date": False}},
    {**SECOND, "counter": "7", "pinned": "Y", "unread": None},
    {**SECOND, "counter": -1, "title": 5, "date_update": 5},
    {**SECOND, "counter": 1e300, "title": {"a": 1}},
    {**SECOND, "chat": {"entity_link": {"url": "javascript:alert(1)"}, "type": ["x"], "mute_list": True}},
    {**SECOND, "chat": {"entity_link": {"url": "https://evil.example/x"}, "type": "brandNew"}},
]


@pytest.mark.parametrize("odd", ODD_ROWS, ids=range(len(ODD_ROWS)))
async def test_one_odd_item_never_costs_the_others(era: Era, odd: object) -> None:
    settings = Settings.model_validate({"webhook_url": "https://acme.bitrix24.example/rest/1/code/"})
    body = {"result": [TASK, odd, {**TASK, "id": 31, "type": "user"}]}
    http_client = HttpClient(transport=lambda: httpx.MockTransport(lambda _: httpx.Response(200, json=body)))
    async with Client(build_server(settings, http_client), mode=era) as client:
        result = await client.call_tool("list_recent_chats")
    page = facts(result)
    assert page["chats"][0] == {
        "dialog_id": "chat1451",
        "title": "Prepare the offer",
        "kind": "task",
        "unread": 2,
        "muted": True,
        "marked_unread": True,
        "last_text": "Anna created a task [Attachment]",
        "last_at": page["chats"][0]["last_at"],
        "link": "https://acme.bitrix24.example/company/personal/user/1/tasks/task/view/8293/",
    }
    assert page["chats"][-1]["dialog_id"] == "31"
    understood = page["total"] == 3
    assert understood or "items left out as unreadable: 1 (" in text(result)
    assert "evil" not in text(result)
    assert "javascript" not in text(result)
