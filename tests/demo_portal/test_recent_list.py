"""im.recent.list: pages, and what happens at their ends."""

from typing import Any

import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal

from .conftest import Call

DAY = 86400


async def page(call: Call, **params: object) -> dict[str, Any]:
    return await call("im.recent.list", SKIP_UNDISTRIBUTED_OPENLINES="Y", **params)


def ids(body: dict[str, Any]) -> list[int | str]:
    return [item["id"] for item in body["result"]["items"] if item]


async def test_the_limit_is_50_by_default_and_200_at_most(call: Call, portal: DemoPortal) -> None:
    portal.chats = 300
    raw = len(portal.world.rows[1])
    assert raw > 200
    for limit, expected in ((None, 50), (0, 50), (-1, 50), (7, 7), (500, 200)):
        body = await page(call, **({} if limit is None else {"LIMIT": limit}))
        dropped = expected - len(body["result"]["items"])
        assert 0 <= dropped < 15, limit
        assert body["result"]["hasMore"] is body["result"]["hasMorePages"] is True


async def test_total_is_minus_one_and_next_counts_the_items_returned(call: Call) -> None:
    body = await page(call, LIMIT=5, OFFSET=10)
    assert (body["total"], body["next"]) == (-1, 15)
    last = await page(call, LIMIT=5, OFFSET=1000)
    assert "next" not in last
    assert (last["result"]["items"], last["result"]["hasMore"], last["total"]) == ([], False, -1)


async def test_a_page_may_be_short_and_still_have_more(call: Call, portal: DemoPortal) -> None:
    portal.chats = 0
    portal.add_chat(ChatFixture("chat", "volkov", "Виден", "да", age=10))
    portal.add_chat(ChatFixture("user", "zaitsev", text="Уволен и прочитан", age=20))
    body = await page(call, LIMIT=2)
    assert (len(body["result"]["items"]), body["result"]["hasMore"], body["next"]) == (1, True, 1)
    assert (await page(call, LIMIT=2, OFFSET=2))["result"]["items"] == [], (
        "a last full page yields an empty one"
    )


async def test_undistributed_open_lines_are_appended_to_every_page(call: Call) -> None:
    for offset in (0, 5):
        body = await call("im.recent.list", LIMIT=5, OFFSET=offset)
        assert len(body["result"]["items"]) == 7
        assert body["result"]["items"][-1] is None
        assert body["next"] == offset + 7, "next counts them too"


async def test_start_wins_over_offset(call: Call) -> None:
    assert ids(await page(call, LIMIT=3, OFFSET=9, start=4)) == ids(await page(call, LIMIT=3, OFFSET=4))
    assert ids(await page(call, LIMIT=3, OFFSET=9, start=0)) == ids(await page(call, LIMIT=3, OFFSET=9))


async def test_last_message_date_is_inclusive_ignores_offset_and_repeats_the_pinned(
    call: Call, portal: DemoPortal
) -> None:
    portal.chats = 0
    old_pin = portal.add_chat(ChatFixture("chat", "volkov", "Закреплён", "да", age=5 * DAY, pinned=True))
    portal.add_chat(ChatFixture("chat", "volkov", "Новее", "да", age=60))
    boundary = portal.add_chat(ChatFixture("chat", "volkov", "Ровно", "да", age=600))
    older = portal.add_chat(ChatFixture("chat", "volkov", "Старше", "да", age=700))
    for name in ("LAST_MESSAGE_DATE", "DATE_LAST_ACTIVITY"):
        body = await page(call, OFFSET=1, **{name: "2026-11-21T14:50:00+03:00"})
        assert ids(body) == [old_pin, boundary, older]
        assert "birthdayList" not in body["result"]
    assert (await page(call))["result"]["birthdayList"] == []


async def test_task_chats_are_never_in_it(call: Call) -> None:
    letters = [item["chat"].get("message_type") for item in (await page(call, LIMIT=200))["result"]["items"]]
    assert "X" not in letters
    recent = (await call("im.recent.get"))["result"]
    assert "X" in [item["chat"].get("message_type") for item in recent if item]


async def test_there_is_no_window_of_30_days(call: Call, portal: DemoPortal) -> None:
    old = portal.add_chat(ChatFixture("chat", "volkov", "Древний", "да", age=400 * DAY))
    assert old in ids(await page(call, LIMIT=200))


@pytest.mark.parametrize(
    ("flag", "letters"),
    [("ONLY_COPILOT", {"A"}), ("ONLY_CHANNEL", {"N", "J"})],
)
async def test_only_flags(call: Call, flag: str, letters: set[str]) -> None:
    body = await page(call, LIMIT=200, **{flag: "Y"})
    assert {item["chat"]["message_type"] for item in body["result"]["items"]} == letters


async def test_unread_only_keeps_counters_and_marks(call: Call) -> None:
    items = (await page(call, LIMIT=200, UNREAD_ONLY="Y"))["result"]["items"]
    assert items
    assert all(item["counter"] or item["unread"] for item in items)


async def test_text_is_stripped_raw_or_parsed(call: Call, portal: DemoPortal) -> None:
    portal.chats = 0
    portal.add_chat(ChatFixture("chat", "volkov", "Жирный", "[B]да[/B]\nнет"))

    async def text(**flags: str) -> str:
        return (await page(call, **flags))["result"]["items"][0]["message"]["text"]

    assert await text() == "да нет"
    assert await text(GET_ORIGINAL_TEXT="Y") == "[B]да[/B]\nнет"
    assert await text(GET_ORIGINAL_TEXT="Y", PARSE_TEXT="Y") == "<b>да</b><br />нет"


async def test_pins_keep_their_places_if_the_user_set_it_so(call: Call, portal: DemoPortal) -> None:
    await call("im.recent.pin", DIALOG_ID="chat1231", PIN="Y")
    by_date = ids(await page(call))
    portal.pins_by_position = True
    assert ids(await page(call))[0] == "chat1231" != by_date[0]
