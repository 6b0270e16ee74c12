"""im.recent.pin: a yes that is a no, two apostrophes, and booleans that mean their opposite."""

from typing import Any

import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal

from .conftest import Call

TYPOGRAPHIC = "You don\u2019t have permission to pin this chat"
ASCII = "You don't have access to this chat"


async def pin(call: Call, dialog_id: object, **more: object) -> object:
    body = await call("im.recent.pin", DIALOG_ID=dialog_id, **more)
    return body["result"] if "result" in body else (body["error"], body["error_description"])


async def item(call: Call, dialog_id: object) -> dict[str, Any] | None:
    items = (await call("im.recent.list", LIMIT=200))["result"]["items"]
    return next((item for item in items if item and item["id"] == dialog_id), None)


async def pinned(call: Call) -> list[int | str]:
    items = (await call("im.recent.list", LIMIT=200))["result"]["items"]
    return [item["id"] for item in items if item and item["pinned"]]


async def test_a_pin_shows_in_both_lists_and_moves_the_date(call: Call, portal: DemoPortal) -> None:
    portal.advance(60)
    assert await pin(call, "chat1217", PIN="Y") is True
    shown = await item(call, "chat1217")
    assert shown
    assert shown["pinned"] is True
    assert shown["date_update"] == "2026-11-21T15:01:00+03:00"
    recent = (await call("im.recent.get"))["result"]
    assert "chat1217" in [shown["id"] for shown in recent if shown and shown["pinned"]]


async def test_the_newest_pin_takes_the_first_place_and_shifts_the_others(
    call: Call, portal: DemoPortal
) -> None:
    await pin(call, "chat1217")
    places = [(row.place, row.chat.id) for row in portal.world.pins(1)]
    assert places[0] == (1, 1217)
    assert [place for place, _ in places] == list(range(1, len(places) + 1))


async def test_pinning_again_changes_nothing(call: Call, portal: DemoPortal) -> None:
    await pin(call, "chat1217")
    portal.advance(60)
    assert await pin(call, "chat1217") is True
    shown = await item(call, "chat1217")
    assert shown
    assert (shown["pinned"], shown["date_update"]) == (True, "2026-11-21T15:00:00+03:00")


@pytest.mark.parametrize("value", ["Y", "n", "", "false", 0, 1, False, None, [], "0"], ids=repr)
async def test_everything_but_n_and_true_pins(call: Call, value: object) -> None:
    await pin(call, "chat1217", PIN=value)
    assert "chat1217" in await pinned(call)


@pytest.mark.parametrize("value", ["N", True], ids=repr)
async def test_n_unpins_and_so_does_a_json_true(call: Call, value: object) -> None:
    await pin(call, "chat1217", PIN="Y")
    assert await pin(call, "chat1217", PIN=value) is True
    assert "chat1217" not in await pinned(call)


async def test_action_overrides_pin(call: Call) -> None:
    await pin(call, "chat1217", PIN="Y", ACTION="N")
    assert "chat1217" not in await pinned(call)


@pytest.mark.parametrize(
    "dialog_id", ["", "0", 0, None, "crm|deal|5", "chat", "chat 5", ["chat5"], "5 ", True], ids=repr
)
async def test_what_is_no_dialog_id_is_dialog_id_empty(
    call: Call, portal: DemoPortal, dialog_id: object
) -> None:
    assert await pin(call, dialog_id) == ("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
    assert portal.requests[-1].status == 400


async def test_a_chat_of_others_or_none_is_refused_with_a_typographic_apostrophe(
    call: Call, portal: DemoPortal
) -> None:
    others = portal.add_chat(ChatFixture("chat", "volkov", "Чужой", "да", outsider=True))
    lines = portal.add_chat(ChatFixture("lines", "client", "Клиент", "да"))
    thread = portal.add_chat(ChatFixture("comment", "volkov", "Комментарии", "да", parent=True))
    for dialog_id in (others, lines, thread, "chat999999"):
        assert await pin(call, dialog_id) == ("ACCESS_ERROR", TYPOGRAPHIC), dialog_id
    assert portal.requests[-1].status == 400


@pytest.mark.parametrize("dialog_id", ["888888", "crm5", "notify", "sg77777"])
async def test_other_refusals_have_an_ascii_apostrophe(call: Call, dialog_id: str) -> None:
    assert await pin(call, dialog_id) == ("ACCESS_ERROR", ASCII)


async def test_at_45_pins_the_answer_is_false_even_for_a_pinned_chat(call: Call, portal: DemoPortal) -> None:
    portal.chats = 0
    chats = [portal.add_chat(ChatFixture("chat", "volkov", str(number), "да")) for number in range(46)]
    for chat in chats[:45]:
        assert await pin(call, chat) is True
    assert await pin(call, chats[45]) is False
    assert await pin(call, chats[0]) is False
    assert portal.requests[-1].status == 200
    assert await pin(call, chats[0], PIN="N") is True
    assert await pin(call, chats[45]) is True


async def test_a_hidden_chat_comes_back_by_a_pin(call: Call) -> None:
    await call("im.recent.hide", DIALOG_ID="chat1217")
    assert await item(call, "chat1217") is None
    assert await pin(call, "chat1217") is True
    assert "chat1217" in await pinned(call)


async def test_unpinning_an_unlisted_chat_lists_it(call: Call) -> None:
    await call("im.recent.hide", DIALOG_ID="chat1217")
    assert await pin(call, "chat1217", PIN="N") is True
    shown = await item(call, "chat1217")
    assert shown
    assert shown["pinned"] is False


async def test_a_colleague_without_a_dialog_gets_an_empty_one(call: Call, portal: DemoPortal) -> None:
    stranger = next(who for who in portal.world.people if who > 300 and not portal.world.private(1, who))
    assert await pin(call, stranger) is True
    shown = await item(call, stranger)
    assert shown
    assert (shown["pinned"], shown["message"]["id"], shown["message"]["text"]) == (True, 0, "")
    assert "uuid" not in shown["message"]


async def test_ones_own_id_is_the_notes(call: Call, portal: DemoPortal) -> None:
    portal.chats = 0
    assert await pin(call, "1") is True
    assert await pinned(call) == [1]


@pytest.mark.parametrize("dialog_id", ["sg121", "CHAT1239", "Chat1239"])
async def test_sgn_and_chatn_answer_true_and_only_bump_the_chat(
    call: Call, portal: DemoPortal, dialog_id: str
) -> None:
    group = portal.world.group(121)
    assert group
    assert group.id == 1239
    portal.advance(60)
    assert await pin(call, dialog_id) is True
    shown = await item(call, "chat1239")
    assert shown
    assert (shown["pinned"], shown["date_update"]) == (False, "2026-11-21T15:01:00+03:00")


async def test_a_build_of_2024_has_25_pins_and_says_false_for_every_refusal(
    call: Call, portal: DemoPortal
) -> None:
    portal.build, portal.chats = "old", 0
    assert await pin(call, "chat999999") is False
    chats = [portal.add_chat(ChatFixture("chat", "volkov", str(number), "да")) for number in range(26)]
    assert [await pin(call, chat) for chat in chats] == [True] * 25 + [False]
