"""Unread marks, hiding, muting, reading, and the counters that follow from them."""

from typing import Any

import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal

from .conftest import Call


async def item(call: Call, dialog_id: object) -> dict[str, Any] | None:
    items = (await call("im.recent.get"))["result"]
    return next((item for item in items if item and item["id"] == dialog_id), None)


async def counters(call: Call, **params: str) -> dict[str, Any]:
    return (await call("im.counters.get", **params))["result"]


@pytest.mark.parametrize("value", ["Y", True, False, "n", "", None], ids=repr)
async def test_everything_but_the_string_n_marks_unread(call: Call, value: object) -> None:
    assert (await call("im.recent.unread", DIALOG_ID="chat1217", ACTION=value))["result"] is True
    shown = await item(call, "chat1217")
    assert shown
    assert (shown["unread"], shown["counter"]) == (True, 0), "the message counter is untouched"


async def test_clearing_the_mark_reads_nothing(call: Call) -> None:
    await call("im.recent.unread", DIALOG_ID="chat1201", ACTION="Y")
    await call("im.recent.unread", DIALOG_ID="chat1201", UNREAD="N")
    shown = await item(call, "chat1201")
    assert shown
    assert (shown["unread"], shown["counter"]) == (False, 3)


async def test_a_mark_moves_date_update_and_a_mute_does_not(call: Call, portal: DemoPortal) -> None:
    before = await item(call, "chat1217")
    portal.advance(60)
    await call("im.chat.mute", DIALOG_ID="chat1217", MUTE="Y")
    muted = await item(call, "chat1217")
    await call("im.recent.unread", DIALOG_ID="chat1217", ACTION="Y")
    marked = await item(call, "chat1217")
    assert before
    assert muted
    assert marked
    assert muted["date_update"] == before["date_update"]
    assert muted["chat"]["mute_list"] == {"1": True}
    assert marked["date_update"] == "2026-11-21T15:01:00+03:00"


async def test_a_mark_on_what_is_not_listed_is_false(call: Call) -> None:
    assert (await call("im.recent.unread", DIALOG_ID="chat999999"))["result"] is False
    assert (await call("im.recent.unread", DIALOG_ID="notify"))["result"] is False
    assert (await call("im.recent.unread", DIALOG_ID="x"))["error"] == "DIALOG_ID_EMPTY"


async def test_hiding_reads_unpins_and_leaves_no_trace(call: Call) -> None:
    assert (await call("im.recent.hide", DIALOG_ID="chat1201"))["result"] is True
    assert await item(call, "chat1201") is None
    assert "1201" not in (await counters(call))["CHAT"]
    await call("im.recent.unread", DIALOG_ID="chat1201")
    await call("im.recent.pin", DIALOG_ID="chat1201", PIN="N")
    shown = await item(call, "chat1201")
    assert shown
    assert (shown["pinned"], shown["counter"]) == (False, 0)


@pytest.mark.parametrize("dialog_id", ["sg121", "CHAT1239", "chat999999", "crm5", "notify"])
async def test_hiding_answers_true_and_does_nothing(call: Call, dialog_id: str) -> None:
    before = (await call("im.recent.get"))["result"]
    assert (await call("im.recent.hide", DIALOG_ID=dialog_id))["result"] is True
    assert (await call("im.recent.get"))["result"] == before


async def test_hiding_takes_an_open_line_out_of_the_queue(call: Call, portal: DemoPortal) -> None:
    waiting = portal.world.queues[1][0]
    await call("im.recent.hide", DIALOG_ID=f"chat{waiting}")
    assert waiting not in portal.world.queues[1]


@pytest.mark.parametrize(("value", "muted"), [("Y", True), (False, True), ("N", False), (True, False)])
async def test_booleans_mean_their_opposite_for_mute_too(call: Call, value: object, *, muted: bool) -> None:
    await call("im.chat.mute", DIALOG_ID="chat1217", MUTE="Y")
    assert (await call("im.chat.mute", CHAT_ID=1217, ACTION=value))["result"] is True
    shown = await item(call, "chat1217")
    assert shown
    assert bool(shown["chat"]["mute_list"]) is muted


async def test_a_dialog_can_be_muted(call: Call) -> None:
    assert (await call("im.chat.mute", DIALOG_ID=5, MUTE="Y"))["result"] is True
    shown = await item(call, 5)
    assert shown
    assert shown["chat"]["mute_list"] == {"1": True}


async def test_what_cannot_be_muted(call: Call, portal: DemoPortal) -> None:
    others = portal.add_chat(ChatFixture("chat", "volkov", "Чужой", "да", outsider=True))
    for dialog_id in (others, "chat999999", "chat1209", "chat1231"):
        body = await call("im.chat.mute", DIALOG_ID=dialog_id)
        assert (body["error"], body["error_description"]) == ("ACCESS_ERROR", "This chat cannot be muted")
        assert portal.requests[-1].status == 403
    assert (await call("im.chat.mute", DIALOG_ID="x"))["error"] == "DIALOG_ID_EMPTY"
    assert (await call("im.chat.mute", DIALOG_ID=999999))["error"] == "CHAT_ID_EMPTY"
    assert (await call("im.chat.mute"))["error"] == "CHAT_ID_EMPTY"


async def test_counters_are_upper_case_by_user_or_chat_and_muted_ones_stand_apart(call: Call) -> None:
    found = await counters(call)
    assert found["DIALOG"]["5"] == 1
    assert found["CHAT"]["1201"] == 3
    assert found["CHAT_MUTED"] == {"1215": 4, "1219": 12}
    assert found["LINES"]["1209"] == 1
    assert found["COPILOT"] == []
    kinds = found["TYPE"]
    sections = ("CHAT", "LINES", "DIALOG", "COPILOT", "COLLAB", "TASKS_TASK")
    assert kinds["MESSENGER"] == sum(kinds[section] for section in sections)
    assert kinds["ALL"] == kinds["MESSENGER"] + kinds["NOTIFY"]
    assert found["DIALOG_UNREAD"] == [45], "Deploy Bot is marked by hand"


async def test_only_counter_and_json_are_read_exactly_as_spelled(call: Call) -> None:
    assert (await counters(call, ONLY_COUNTER="Y")).keys() == {"TYPE"}
    assert len(await counters(call, only_counter="Y")) > 1
    camel = await counters(call, JSON="Y")
    assert camel["chatMuted"] == {"1215": 4, "1219": 12}
    assert "tasksTask" in camel["type"]


async def test_read_all_clears_everything_but_moves_only_marked_rows(call: Call, portal: DemoPortal) -> None:
    portal.advance(60)
    assert (await call("im.dialog.read.all"))["result"] is True
    found = await counters(call)
    assert (found["CHAT"], found["DIALOG"], found["CHAT_MUTED"]) == ([], [], [])
    items = [item for item in (await call("im.recent.get"))["result"] if item]
    moved = [item["id"] for item in items if item["date_update"] == "2026-11-21T15:01:00+03:00"]
    assert moved == [45]
    assert not any(item["unread"] for item in items)


async def test_reading_up_to_a_message(call: Call, portal: DemoPortal) -> None:
    first, *_, last = portal.world.chats[1201].messages
    body = await call("im.dialog.read", DIALOG_ID="chat1201", MESSAGE_ID=first.id + 2)
    assert body["result"]["chatId"] == 1201
    assert body["result"]["dialogId"] == "chat1201"
    assert 0 < body["result"]["counter"] <= 3
    body = await call("im.dialog.read", DIALOG_ID="chat1201")
    assert (body["result"]["counter"], body["result"]["lastId"]) == (0, last.id)
    assert (await call("im.dialog.read", DIALOG_ID="chat999999"))["result"] is False
    assert (await call("im.dialog.read"))["error"] == "DIALOG_ID_EMPTY"


async def test_a_bounded_read_leaves_the_mark_and_an_unbounded_one_clears_it(
    call: Call, portal: DemoPortal
) -> None:
    await call("im.recent.unread", DIALOG_ID="chat1201", ACTION="Y")
    newest = portal.world.chats[1201].messages[-1].id
    await call("im.dialog.read", DIALOG_ID="chat1201", MESSAGE_ID=newest)
    shown = await item(call, "chat1201")
    assert shown
    assert (shown["counter"], shown["unread"]) == (0, True)
    await call("im.dialog.read", DIALOG_ID="chat1201")
    shown = await item(call, "chat1201")
    assert shown
    assert shown["unread"] is False


async def test_reading_notifications_is_true(call: Call) -> None:
    assert (await call("im.dialog.read", DIALOG_ID="notify"))["result"] is True


async def test_unread_counts_from_a_message_on(call: Call, portal: DemoPortal) -> None:
    messages = list(portal.world.chats[1217].messages)
    assert (await call("im.dialog.unread", DIALOG_ID="chat1217", MESSAGE_ID=messages[1].id))["result"] is True
    shown = await item(call, "chat1217")
    assert shown
    assert (shown["counter"], shown["last_id"], shown["unread"]) == (2, messages[0].id, False)


async def test_unread_reaches_back_into_the_history(call: Call) -> None:
    page = (await call("im.dialog.messages.get", DIALOG_ID="chat1217", LIMIT=0))["result"]["messages"]
    await call("im.dialog.unread", DIALOG_ID="chat1217", MESSAGE_ID=page[-1]["id"])
    shown = await item(call, "chat1217")
    others = [message for message in page if message["author_id"] != 1]
    assert shown
    assert shown["counter"] == len(others)


@pytest.mark.parametrize("dialog_id", ["chat999999", "crm5", "sg999"])
async def test_unread_answers_true_for_what_is_no_chat(call: Call, dialog_id: str) -> None:
    assert (await call("im.dialog.unread", DIALOG_ID=dialog_id, MESSAGE_ID=5))["result"] is True


async def test_unread_needs_a_message_before_it_needs_a_dialog(call: Call) -> None:
    assert (await call("im.dialog.unread", DIALOG_ID="chat1217"))["error"] == "MESSAGE_ID_ERROR"
    assert (await call("im.dialog.unread", MESSAGE_ID=80001))["error"] == "DIALOG_ID_EMPTY"


async def test_what_one_method_changes_shows_in_all_others(call: Call) -> None:
    await call("im.recent.pin", DIALOG_ID="chat1217", PIN="Y")
    await call("im.recent.unread", DIALOG_ID="chat1217", ACTION="Y")
    await call("im.chat.mute", DIALOG_ID="chat1217", MUTE="Y")
    recent = await item(call, "chat1217")
    pages = (await call("im.recent.list", LIMIT=200))["result"]["items"]
    listed = next(item for item in pages if item and item["id"] == "chat1217")
    assert recent == listed
    full = (await call("im.dialog.get", DIALOG_ID="chat1217"))["result"]
    assert full["mute_list"] == [1]
    assert 1217 in (await counters(call))["CHAT_UNREAD"]
