"""An assistant marks chats as read and unread, and mutes them; each with its undo."""

import json
from typing import Any

import pytest
from bitrix24_chat_mcp.logs import AUDIT
from bitrix24_demo_portal import DemoPortal, Fault
from jsonschema import validate
from mcp import Client
from support.conversation import Conversation, facts, text

SETS = ["read", "marks"]


async def chat(client: Client, dialog_id: str = "chat1201") -> dict[str, Any]:
    listed = facts(await client.call_tool("list_recent_chats", {"limit": 200}))
    return next(row for row in listed["chats"] if row["dialog_id"] == dialog_id)


async def mark(client: Client, as_: str, up_to: int = 0, dialog_id: str = "chat1201") -> dict[str, Any]:
    bound = {"up_to": up_to} if up_to else {}
    return facts(await client.call_tool("mark_chat", {"dialog_id": dialog_id, "as": as_, **bound}))


async def test_triage_then_read_then_mark_up_to_what_was_read_while_a_new_message_arrives(
    converse: Conversation, portal: DemoPortal
) -> None:
    async with converse(toolsets=SETS) as client:
        waiting = facts(await client.call_tool("list_recent_chats", {"show": "attention"}))
        assert "chat1201" in {row["dialog_id"] for row in waiting["chats"]}
        page = facts(await client.call_tool("read_chat", {"dialog_id": "chat1201", "unread_only": True}))
        shown = page["messages"][-1]["id"]
        new = portal.say("chat1201", 9, "Подождите!")
        marked = await client.call_tool("mark_chat", {"dialog_id": "chat1201", "as": "read", "up_to": shown})
        assert facts(marked)["unread_before"] == 4
        assert facts(marked)["unread"] == 1
        assert "; 4 unread before, 1 now; " in text(marked)
        assert (await chat(client))["unread"] == 1
        page = facts(await client.call_tool("read_chat", {"dialog_id": "chat1201", "unread_only": True}))
    assert [row["id"] for row in page["messages"]] == [new]


async def test_the_undo_of_each_mark_takes_it_back(converse: Conversation, portal: DemoPortal) -> None:
    newest = portal.world.chats[1201].messages[-1].id
    async with converse(toolsets=SETS) as client:
        before = await chat(client)
        for first in (("read", newest), ("unread", newest - 6)):
            undo = (await mark(client, *first))["undo"]
            assert await chat(client) != before or first[0] == "unread"
            await client.call_tool("mark_chat", undo)
            assert (await chat(client))["unread"] in {before["unread"], 0}
        quiet = await chat(client, "chat1205")
        undo = (await mark(client, "unread", dialog_id="chat1205"))["undo"]
        assert (await chat(client, "chat1205"))["marked_unread"]
        await client.call_tool("mark_chat", undo)
        assert await chat(client, "chat1205") == quiet


async def test_reading_to_the_end_clears_the_mark_that_was_set_by_hand(
    converse: Conversation, portal: DemoPortal
) -> None:
    newest = portal.world.chats[1201].messages[-1].id
    async with converse(toolsets=SETS) as client:
        await mark(client, "unread")
        half = await mark(client, "read", newest - 2)
        assert half["unread"] == 1
        assert half["marked_unread"]
        assert (await chat(client))["marked_unread"], "it stays while messages are unread"
        assert (await mark(client, "read", newest))["changed"]
        assert "marked_unread" not in await chat(client)
    cleared = [request.params for request in portal.requests if request.method == "im.recent.unread"]
    assert cleared == [
        {"DIALOG_ID": "chat1201", "ACTION": "Y"},
        {"DIALOG_ID": "chat1201", "ACTION": "N"},
    ]


async def test_marking_read_needs_a_bound_that_was_shown(converse: Conversation, portal: DemoPortal) -> None:
    newest = portal.world.chats[1201].messages[-1].id
    async with converse(toolsets=SETS) as client:
        unbounded = await client.call_tool("mark_chat", {"dialog_id": "chat1201", "as": "read"})
        assert text(unbounded).startswith("INVALID_ARGUMENT: Marking read takes up_to")
        assert not portal.requests
        for as_ in ("read", "unread"):
            future = await client.call_tool(
                "mark_chat", {"dialog_id": "chat1201", "as": as_, "up_to": newest + 1}
            )
            assert text(future).startswith("NO_SUCH_MESSAGE: ")
        wrong = await client.call_tool("mark_chat", {"dialog_id": "chat1201", "as": "done"})
        assert text(wrong).startswith("INVALID_ARGUMENT: as must be 'read' or 'unread'")
    assert {request.method for request in portal.requests} == {"im.dialog.get"}


async def test_the_portal_s_false_is_an_error(converse: Conversation, portal: DemoPortal) -> None:
    newest = portal.world.chats[1201].messages[-1].id
    false = Fault(body={"result": False})
    async with converse(toolsets=SETS) as client:
        portal.fail("im.dialog.read", false)
        arguments: dict[str, object] = {"dialog_id": "chat1201", "as": "read", "up_to": newest}
        assert text(await client.call_tool("mark_chat", arguments)).startswith("ACCESS_ERROR: ")
        portal.fail("im.recent.unread", false)
        refused = await client.call_tool("mark_chat", {"dialog_id": "chat1201", "as": "unread"})
        assert text(refused).startswith("NOT_LISTED: ")


@pytest.mark.parametrize("method", ["im.dialog.unread", "im.chat.mute"])
async def test_the_portal_s_false_is_an_error_also_where_all_is_as_it_was_asked_for(
    converse: Conversation, portal: DemoPortal, method: str
) -> None:
    portal.fail(method, Fault(body={"result": False}))
    asked: dict[str, tuple[str, dict[str, object]]] = {
        "im.dialog.unread": ("mark_chat", {"as": "unread", "up_to": 80421}),
        "im.chat.mute": ("mute_chat", {"muted": False}),
    }
    tool, arguments = asked[method]
    async with converse(toolsets=SETS) as client:
        refused = await client.call_tool(tool, {"dialog_id": "chat1201", **arguments})
    assert refused.is_error
    assert text(refused).startswith("NOT_DONE: The portal answered false")


async def test_the_portal_s_true_without_a_deed_is_an_error(
    converse: Conversation, portal: DemoPortal
) -> None:
    newest = portal.world.chats[1201].messages[-1].id
    true = Fault(body={"result": True})
    portal.world.chats[1201].read[1] = newest
    portal.fail("im.dialog.unread", true)
    portal.fail("im.chat.mute", true)
    async with converse(toolsets=SETS) as client:
        arguments: dict[str, object] = {"dialog_id": "chat1201", "as": "unread", "up_to": newest}
        assert text(await client.call_tool("mark_chat", arguments)).startswith("NOT_MARKED: ")
        muted = await client.call_tool("mute_chat", {"dialog_id": "chat1201", "muted": True})
        assert text(muted).startswith("NOT_MARKED: ")


@pytest.mark.parametrize("muted", [True, False])
async def test_mute_sends_letters_tells_before_and_after_and_undoes(
    converse: Conversation, portal: DemoPortal, *, muted: bool
) -> None:
    async with converse(toolsets=SETS) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        await client.call_tool("mute_chat", {"dialog_id": "chat1201", "muted": not muted})
        result = await client.call_tool("mute_chat", {"dialog_id": "chat1201", "muted": muted})
        validate(facts(result), tools["mute_chat"].output_schema or {})
        sent = [request.params["MUTE"] for request in portal.requests if request.method == "im.chat.mute"]
        assert sent == ["N" if muted else "Y", "Y" if muted else "N"]
        assert facts(result)["muted_before"] is not muted
        assert (await chat(client)).get("muted", False) is muted
        again = await client.call_tool("mute_chat", {"dialog_id": "chat1201", "muted": muted})
        assert text(again).endswith("already, nothing changed")
        await client.call_tool("mute_chat", facts(result)["undo"])
        assert (await chat(client)).get("muted", False) is not muted
        refused = await client.call_tool("mute_chat", {"dialog_id": "chat1209", "muted": True})
        assert text(refused).startswith("ACCESS_ERROR: ")


@pytest.mark.parametrize(("dialog_id", "sent"), [("CHAT1201", "chat1201"), (7, "7"), (" 007", "7")])
async def test_a_dialog_id_reaches_the_portal_as_it_takes_it(
    converse: Conversation, portal: DemoPortal, dialog_id: object, sent: str
) -> None:
    async with converse(toolsets=SETS) as client:
        muted = await client.call_tool("mute_chat", {"dialog_id": dialog_id, "muted": True})
        marked = await client.call_tool("mark_chat", {"dialog_id": dialog_id, "as": "unread"})
    assert (facts(muted)["dialog_id"], facts(marked)["dialog_id"]) == (sent, sent)
    written = {"im.chat.mute", "im.recent.unread"}
    ids = [request.params["DIALOG_ID"] for request in portal.requests if request.method in written]
    assert ids == [sent, sent]


WRITES: dict[str, tuple[str, dict[str, object]]] = {
    "im.dialog.read": ("mark_chat", {"as": "read", "up_to": 80421}),
    "im.dialog.unread": ("mark_chat", {"as": "unread", "up_to": 80415}),
    "im.recent.unread": ("mark_chat", {"as": "unread"}),
    "im.chat.mute": ("mute_chat", {"muted": True}),
}


@pytest.mark.parametrize("method", WRITES)
async def test_a_lost_answer_is_asked_for_again_since_doing_it_twice_is_doing_it_once(
    converse: Conversation, portal: DemoPortal, method: str
) -> None:
    tool, arguments = WRITES[method]
    portal.fail(method, Fault(status=502, body="", performed=True), 1)
    async with converse(toolsets=SETS) as client:
        result = await client.call_tool(tool, {"dialog_id": "chat1201", **arguments})
    assert not result.is_error, text(result)
    assert sum(request.method == method for request in portal.requests) == 2


async def test_each_mark_is_in_the_audit_and_read_only_calls_are_not(
    converse: Conversation, portal: DemoPortal, caplog: pytest.LogCaptureFixture
) -> None:
    newest = portal.world.chats[1201].messages[-1].id
    with caplog.at_level("INFO", AUDIT):
        async with converse(toolsets=SETS) as client:
            await client.call_tool("read_chat", {"dialog_id": "chat1201"})
            await mark(client, "read", newest)
            await client.call_tool("mute_chat", {"dialog_id": "chat999999", "muted": True})
    lines = [json.loads(record.message) for record in caplog.records if record.name == AUDIT]
    assert [(line["tool"], line["dialog_id"], line["outcome"]) for line in lines] == [
        ("mark_chat", ["chat1201"], "ok"),
        ("mute_chat", ["chat999999"], "ACCESS_ERROR"),
    ]
