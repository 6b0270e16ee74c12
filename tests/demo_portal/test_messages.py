"""im.dialog.messages.get and im.dialog.messages.search: what they list, in which order, how much."""

import re
from typing import Any

import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal

from .conftest import Call


@pytest.fixture
def long_chat(portal: DemoPortal) -> str:
    portal.chats = 0
    dialog = portal.add_chat(ChatFixture("chat", "volkov", "Долгий", "первое", empty=True))
    for number in range(80):
        portal.say(dialog, 9, f"сообщение {number}")
    return str(dialog)


async def messages(call: Call, **params: object) -> list[dict[str, Any]]:
    return (await call("im.dialog.messages.get", **params))["result"]["messages"]


async def test_unread_messages_come_on_top_of_the_limit(
    call: Call, portal: DemoPortal, long_chat: str
) -> None:
    await call("im.dialog.read.all")
    assert len(await messages(call, DIALOG_ID=long_chat)) == 20
    assert len(await messages(call, DIALOG_ID=long_chat, LIMIT=500)) == 50
    portal.say(long_chat, 9, "ещё одно")
    assert len(await messages(call, DIALOG_ID=long_chat, LIMIT=5)) == 6


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_limit_of_zero_or_less_is_none(call: Call, long_chat: str, limit: int) -> None:
    await call("im.dialog.read.all")
    assert len(await messages(call, DIALOG_ID=long_chat, LIMIT=limit)) == 80


async def test_history_is_newest_first_before_last_id_and_oldest_first_after_first_id(
    call: Call, long_chat: str
) -> None:
    await call("im.dialog.read.all")
    newest = await messages(call, DIALOG_ID=long_chat, LIMIT=3)
    assert [message["text"] for message in newest] == [f"сообщение {number}" for number in (79, 78, 77)]
    older = await messages(call, DIALOG_ID=long_chat, LIMIT=2, LAST_ID=newest[-1]["id"])
    assert [message["text"] for message in older] == ["сообщение 76", "сообщение 75"]
    newer = await messages(call, CHAT_ID=long_chat[4:], LIMIT=2, FIRST_ID=older[-1]["id"], LAST_ID="x")
    assert [message["text"] for message in newer] == ["сообщение 76", "сообщение 77"]


@pytest.mark.parametrize("name", ["FIRST_ID", "LAST_ID"])
async def test_ids_that_are_no_digits_are_refused(call: Call, name: str) -> None:
    body = await call("im.dialog.messages.get", DIALOG_ID="chat1201", **{name: "abc"})
    assert body["error"] == f"{name}_STRING"


async def test_message_texts_keep_their_markup(call: Call) -> None:
    found = await messages(call, DIALOG_ID="21")
    assert found[0]["text"].endswith("в [URL=https://disk.example/s]папке[/URL]")
    assert found[0]["params"] == []


async def numbers(call: Call, **params: object) -> list[int]:
    """The messages of `long_chat` by the number in their text."""
    return [int(message["text"].split()[-1]) for message in await messages(call, **params)]


async def test_with_more_unread_than_the_limit_the_newest_are_missing(
    call: Call, portal: DemoPortal, long_chat: str
) -> None:
    seen = portal.world.chats[int(long_chat[4:])].messages[39].id
    await call("im.dialog.read", DIALOG_ID=long_chat, MESSAGE_ID=seen)
    assert await numbers(call, DIALOG_ID=long_chat, LIMIT=3) == [42, 41, 40, 39, 38, 37]
    assert await numbers(call, DIALOG_ID=long_chat, LIMIT=3, LAST_ID=0) == [79, 78, 77]
    assert len(await numbers(call, DIALOG_ID=long_chat, LIMIT=40)) == 80, "40 unread on top of the limit"


async def test_messages_after_the_last_read_one_are_unread(call: Call, long_chat: str) -> None:
    found = await messages(call, DIALOG_ID=long_chat, LIMIT=50, LAST_ID=0)
    assert {message["unread"] for message in found} == {True}
    await call("im.dialog.read", DIALOG_ID=long_chat, MESSAGE_ID=found[2]["id"])
    again = await messages(call, DIALOG_ID=long_chat, LIMIT=50, LAST_ID=0)
    assert [message["unread"] for message in again] == [True] * 2 + [False] * 48


async def test_getting_messages_does_not_mark_them_read(call: Call) -> None:
    await call("im.dialog.messages.get", DIALOG_ID="chat1201")
    await call("im.dialog.messages.search", CHAT_ID=1201)
    assert (await call("im.dialog.get", DIALOG_ID="chat1201"))["result"]["counter"] == 3


async def test_messages_of_open_lines_are_refused(call: Call, portal: DemoPortal) -> None:
    body = await call("im.dialog.messages.get", DIALOG_ID="chat1209")
    assert (body["error"], portal.requests[-1].status) == ("ACCESS_ERROR", 403)


async def test_chats_have_a_history_of_several_authors_with_bb_codes(call: Call, portal: DemoPortal) -> None:
    found: list[dict[str, Any]] = []
    for number in (number for number, chat in portal.world.chats.items() if chat.message_type in "PC"):
        body = await call("im.dialog.messages.get", CHAT_ID=number, LIMIT=0)
        found += body["result"]["messages"] if "result" in body else []
        ids = [message["id"] for message in body["result"]["messages"]] if "result" in body else []
        assert ids == sorted(ids, reverse=True)
    texts = "\n".join(message["text"] for message in found)
    for code in ("[USER=", "[URL", "[B]", "[CODE]", "[QUOTE]", "[CALL=", "[DISK=", "[s]", ">> ", "-" * 54):
        assert code in texts, code
    assert max(len(message["text"]) for message in found) > 700
    assert any(message["params"] and message["params"].get("FILE_ID") for message in found)
    assert any(message["params"] and message["params"].get("IS_DELETED") == "Y" for message in found)
    assert any(message["author_id"] == 1 for message in found)
    assert any(message["author_id"] == 0 for message in found)


async def test_a_deleted_message_says_so(call: Call, portal: DemoPortal) -> None:
    dialog = portal.add_chat(ChatFixture("chat", "volkov", "Удалённое", "да"))
    portal.say(dialog, 9, "")
    (newest, *_) = await messages(call, DIALOG_ID=dialog)
    assert (newest["text"], newest["params"]) == ("Это сообщение было удалено.", {"IS_DELETED": "Y"})


async def test_a_history_is_the_same_for_a_seed(call: Call, portal: DemoPortal) -> None:
    before = await messages(call, DIALOG_ID="chat1201", LIMIT=0)
    assert len(before) > 8
    portal.reset()
    assert await messages(call, DIALOG_ID="chat1201", LIMIT=0) == before


async def search(call: Call, **params: object) -> list[dict[str, Any]]:
    return (await call("im.dialog.messages.search", **params))["result"]["messages"]


async def test_message_search_finds_parts_of_texts_newest_first(call: Call, long_chat: str) -> None:
    number = int(long_chat[4:])
    found = await search(call, CHAT_ID=number, SEARCH_MESSAGE="ОБЩЕНИЕ 7")
    assert [message["text"][-2:] for message in found] == [*(str(n) for n in range(79, 69, -1)), " 7"]
    older = await search(call, CHAT_ID=number, SEARCH_MESSAGE="общение 7", LAST_ID=found[1]["id"], LIMIT=2)
    assert older == found[2:4]
    oldest = await search(call, CHAT_ID=number, ORDER={"ID": "ASC"}, LIMIT=1)
    assert oldest[0]["text"] == "сообщение 0"


@pytest.mark.parametrize("text", ["7", "79", "", None])
async def test_message_search_of_two_letters_or_fewer_returns_everything(
    call: Call, long_chat: str, text: str | None
) -> None:
    found = await search(call, CHAT_ID=long_chat[4:], SEARCH_MESSAGE=text)
    assert len(found) == 50
    assert len(await search(call, CHAT_ID=long_chat[4:], SEARCH_MESSAGE=text, LIMIT=1000)) == 80


async def test_message_search_takes_wildcards_of_sql(call: Call, long_chat: str) -> None:
    assert len(await search(call, CHAT_ID=long_chat[4:], SEARCH_MESSAGE="с%ие 1_")) == 10


async def test_message_search_is_bounded_by_dates(call: Call, portal: DemoPortal, long_chat: str) -> None:
    portal.advance(86400)
    portal.say(long_chat, 9, "на следующий день")
    chat = long_chat[4:]
    assert len(await search(call, CHAT_ID=chat, DATE_FROM="2026-11-22T00:00:00+03:00")) == 1
    assert len(await search(call, CHAT_ID=chat, DATE_TO="2026-11-22T00:00:00+03:00", LIMIT=200)) == 80
    assert len(await search(call, CHAT_ID=chat, DATE="2026-11-22T00:00:00+03:00")) == 1
    assert (await call("im.dialog.messages.search", CHAT_ID=chat, DATE_FROM="gestern"))[
        "error"
    ] == "ERROR_CORE"


async def test_message_search_wants_the_number_of_an_accessible_chat(call: Call, portal: DemoPortal) -> None:
    body = await call("im.dialog.messages.search", DIALOG_ID="chat1201", SEARCH_MESSAGE="домен")
    assert (body["error"], body["error_description"]) == ("CHAT_ID_EMPTY", "CHAT_ID can`t be empty")
    others = str(portal.add_chat(ChatFixture("chat", "volkov", "Чужой", "да", outsider=True)))
    for number in (others[4:], 999999, "chat1201"):
        body = await call("im.dialog.messages.search", CHAT_ID=number)
        assert (body["error"], portal.requests[-1].status) == ("ACCESS_ERROR", 403)


async def test_people_and_files_of_found_messages_come_along(call: Call) -> None:
    body = (await call("im.dialog.messages.search", CHAT_ID=1215, SEARCH_MESSAGE="Акты"))["result"]
    (message,) = body["messages"]
    assert [user["id"] for user in body["users"]] == [message["author_id"]]
    assert [file["name"] for file in body["files"]] == ["акты-10.pdf"]
    assert re.fullmatch(r"[0-9a-f-]{36}", message["uuid"])
    assert message.keys() >= {"isSystem", "viewed", "viewedByOthers", "forward"}
