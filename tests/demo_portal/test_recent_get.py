"""im.recent.get: which items, in which order, and in which shapes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal

from .conftest import NOW, Call

DAY = 86400


def ids(body: dict[str, Any]) -> list[int | str]:
    return [item["id"] for item in body["result"] if item]


def of_type(body: dict[str, Any], letter: str) -> list[dict[str, Any]]:
    return [item for item in body["result"] if item and item["chat"].get("message_type") == letter]


async def test_items_are_called_by_a_number_for_people_and_by_chatn_for_all_else(call: Call) -> None:
    for item in filter(None, (await call("im.recent.get"))["result"]):
        assert isinstance(item["id"], int if item["type"] == "user" else str)


async def test_pinned_come_first_then_the_last_message_then_the_id_as_a_string(
    portal: DemoPortal, call: Call
) -> None:
    portal.chats = 0
    dialogs = [
        portal.add_chat(ChatFixture("chat", "volkov", f"Чат {number}", "да", age=60)) for number in range(3)
    ]
    user = portal.add_chat(ChatFixture("user", "orlov", text="да", age=60))
    newer = portal.add_chat(ChatFixture("chat", "volkov", "Новее", "да", age=30))
    pinned = portal.add_chat(ChatFixture("chat", "volkov", "Старое", "да", age=5 * DAY, pinned=True))
    as_strings = sorted(map(str, dialogs), reverse=True)

    assert ids(await call("im.recent.get")) == [pinned, newer, *as_strings, user]


@pytest.mark.parametrize("value", ["y", "true", "1", True, "N", 1, "yes", None], ids=repr)
async def test_a_flag_that_is_not_exactly_y_is_off_without_a_word(call: Call, value: object) -> None:
    body = await call("im.recent.get", SKIP_DIALOG=value, SKIP_CHAT=value, ONLY_OPENLINES=value)
    assert body["result"] == (await call("im.recent.get"))["result"]


async def test_skip_chat_skips_groups_but_no_channels_collabs_copilots_and_tasks(call: Call) -> None:
    body = await call("im.recent.get", SKIP_CHAT="Y")
    assert not of_type(body, "C")
    assert not of_type(body, "O")
    for letter in "NJBAX":
        assert of_type(body, letter), letter


async def test_all_three_skip_flags_leave_something(call: Call) -> None:
    body = await call("im.recent.get", SKIP_CHAT="Y", SKIP_DIALOG="Y", SKIP_OPENLINES="Y")
    assert {item["chat"]["message_type"] for item in body["result"]} == set("NJBAX")


async def test_only_openlines_wins_over_every_other_filter_and_puts_the_queue_first(
    portal: DemoPortal, call: Call
) -> None:
    old = portal.add_chat(ChatFixture("lines", "client", "Старый клиент", "?", age=100 * DAY))
    body = await call(
        "im.recent.get", ONLY_OPENLINES="Y", SKIP_OPENLINES="Y", LAST_SYNC_DATE="2026-11-21T15:00:00+03:00"
    )
    assert {item["chat"]["message_type"] for item in body["result"] if item} == {"L"}
    assert "last_id" not in body["result"][0]
    assert old in ids(body)


async def test_an_item_untouched_for_30_days_is_gone_even_when_pinned(portal: DemoPortal, call: Call) -> None:
    kept = portal.add_chat(ChatFixture("chat", "volkov", "29 дней", "да", age=29 * DAY))
    gone = portal.add_chat(ChatFixture("chat", "volkov", "31 день", "да", age=31 * DAY, pinned=True))
    listed = ids(await call("im.recent.get"))
    assert kept in listed
    assert gone not in listed
    items = (await call("im.recent.list", LIMIT=200))["result"]["items"]
    assert gone in [item["id"] for item in items if item]


async def test_a_sync_date_is_inclusive(portal: DemoPortal, call: Call) -> None:
    portal.chats = 0
    portal.add_chat(ChatFixture("chat", "volkov", "Раньше", "да", age=601))
    boundary = portal.add_chat(ChatFixture("chat", "volkov", "Ровно тогда", "да", age=600))
    assert ids(await call("im.recent.get", LAST_SYNC_DATE="2026-11-21T14:50:00+03:00")) == [boundary]


async def test_a_sync_date_older_than_7_days_is_clamped(portal: DemoPortal, call: Call) -> None:
    portal.chats = 0
    week = portal.add_chat(ChatFixture("chat", "volkov", "6 дней", "да", age=6 * DAY))
    portal.add_chat(ChatFixture("chat", "volkov", "8 дней", "да", age=8 * DAY))
    assert ids(await call("im.recent.get", LAST_SYNC_DATE="2026-11-01T00:00:00+03:00")) == [week]


async def test_last_update_overwrites_last_sync_date_even_when_empty(call: Call) -> None:
    everything = await call("im.recent.get")
    body = await call("im.recent.get", LAST_SYNC_DATE="2026-11-21T15:00:00+03:00", LAST_UPDATE="")
    assert body["result"] == everything["result"]
    body = await call(
        "im.recent.get",
        LAST_SYNC_DATE="2026-11-01T00:00:00+03:00",
        LAST_UPDATE="2026-11-21T15:00:00+03:00",
        SKIP_OPENLINES="Y",
    )
    assert body["result"] == []


async def test_an_array_for_a_date_breaks_php(call: Call, portal: DemoPortal) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        await call("im.recent.get", LAST_SYNC_DATE=["2026"])
    assert portal.requests[-1].status == 500


async def test_paging_parameters_are_ignored(call: Call) -> None:
    body = await call("im.recent.get", LIMIT=1, OFFSET=10, start=10, ORDER={"id": "asc"})
    assert body["result"] == (await call("im.recent.get"))["result"]
    assert body.keys() == {"result", "time"}


async def test_with_counters_other_than_y_removes_the_counter(call: Call) -> None:
    assert "counter" not in (await call("im.recent.get", WITH_COUNTERS="N"))["result"][0]
    assert "counter" in (await call("im.recent.get", WITH_COUNTERS="Y"))["result"][0]


async def test_a_comment_thread_is_never_listed(portal: DemoPortal, call: Call) -> None:
    thread = portal.add_chat(ChatFixture("comment", "belova", "Комментарии", "да", parent=True))
    assert thread not in ids(await call("im.recent.get"))


async def test_the_queue_comes_last_in_its_own_shape_and_may_repeat_a_chat_or_be_null(call: Call) -> None:
    result = (await call("im.recent.get"))["result"]
    *regular, waiting, nothing = result
    assert nothing is None
    assert waiting.keys().isdisjoint({"last_id", "date_last_activity", "options"})
    assert "sticker" not in waiting["message"]
    assert (
        waiting["chat"].keys().isdisjoint({"role", "permissions", "entity_link", "public", "parent_chat_id"})
    )
    assert (waiting["counter"], waiting["user"]) == (1, {"id": 0})
    assert waiting["id"] in [item["id"] for item in regular]


async def test_a_message_moves_a_chat_up_and_counts_as_unread(portal: DemoPortal, call: Call) -> None:
    portal.advance(100)
    message = portal.say("chat1217", 9, "Новое сообщение")
    top = next(item for item in (await call("im.recent.get"))["result"] if not item["pinned"])
    assert (top["id"], top["counter"], top["message"]["id"]) == ("chat1217", 1, message)
    assert top["date_update"] == datetime.fromtimestamp(NOW + 100, UTC).isoformat().replace(
        "12:01:40+00:00", "15:01:40+03:00"
    )


async def test_several_users_have_lists_of_their_own(portal: DemoPortal, call: Call) -> None:
    other = await call(portal.webhook(5) + "im.recent.get")
    assert 1 in ids(other), "Orlov's dialog with Anna is called by her id there"
    assert 5 in ids(await call("im.recent.get"))
