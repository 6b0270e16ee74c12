"""im.dialog.get, im.dialog.messages.get and the searches."""

from typing import Any

import httpx
import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal

from .conftest import Call


async def test_a_dialog_echoes_the_id_that_was_asked_for(call: Call) -> None:
    for dialog_id in ("chat1201", "CHAT1201", "5", "sg121"):
        body = await call("im.dialog.get", DIALOG_ID=dialog_id)
        assert body["result"]["dialog_id"] == dialog_id


async def test_roles_are_lower_case_and_mute_lists_are_numbers_here(call: Call) -> None:
    body = await call("im.dialog.get", DIALOG_ID="chat1215")
    assert (body["result"]["role"], body["result"]["mute_list"]) == ("member", [1])


async def test_a_dialog_that_is_not_ones_own_is_refused(call: Call, portal: DemoPortal) -> None:
    others = portal.add_chat(ChatFixture("chat", "volkov", "Чужой", "да", outsider=True))
    for dialog_id in (others, "chat999999", 999999, "crm5"):
        for method in ("im.dialog.get", "im.dialog.messages.get"):
            body = await call(method, DIALOG_ID=dialog_id)
            assert body["error"] == "ACCESS_ERROR"
            assert portal.requests[-1].status == 403
    assert (await call("im.dialog.get"))["error"] == "DIALOG_ID_EMPTY"
    assert portal.requests[-1].status == 400


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
    assert len(await messages(call, DIALOG_ID=long_chat)) == 80, "all 80 are unread"
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
    newer = await messages(call, CHAT_ID=long_chat[4:], LIMIT=2, FIRST_ID=older[-1]["id"], LAST_ID=1)
    assert [message["text"] for message in newer] == ["сообщение 76", "сообщение 77"]


@pytest.mark.parametrize("name", ["FIRST_ID", "LAST_ID"])
async def test_ids_that_are_no_digits_are_refused(call: Call, name: str) -> None:
    body = await call("im.dialog.messages.get", DIALOG_ID="chat1201", **{name: "abc"})
    assert body["error"] == f"{name}_STRING"


async def test_message_texts_keep_their_markup(call: Call) -> None:
    found = await messages(call, DIALOG_ID="21")
    assert found[0]["text"].endswith("в [URL=https://disk.example/s]папке[/URL]")
    assert found[0]["params"] == []


async def test_a_search_needs_three_characters_or_two_by_the_documentation(
    call: Call, portal: DemoPortal
) -> None:
    body = await call("im.search.chat.list", FIND="чт")
    assert (body["error"], body["error_description"]) == ("FIND_SHORT", "Too short a search phrase.")
    portal.find_minimum = 2
    assert (await call("im.search.chat.list", FIND="сл"))["total"] > 0


async def test_chats_are_found_by_words_newest_id_first(call: Call) -> None:
    body = await call("im.search.chat.list", FIND="чат", LIMIT=2)
    first, second = body["result"]
    assert first["id"] > second["id"]
    assert body["next"] == 2
    assert body["total"] > 2
    assert (await call("im.search.chat.list", FIND="чат", LIMIT=2, OFFSET=1))["result"][0]["id"] == second[
        "id"
    ]
    assert (await call("im.search.chat.list", FIND_LINES="чат", FIND="бухгалтерия"))["total"] == 1


async def test_people_are_an_object_by_id_or_an_empty_list(call: Call) -> None:
    body = await call("im.search.user.list", FIND="орлов")
    assert body["result"]["5"]["name"] == "Дмитрий Орлов"
    assert body["result"]["5"]["birthday"] is False
    nobody = await call("im.search.user.list", FIND="никого")
    assert (nobody["result"], nobody["total"]) == ([], 0)
    assert (await call("im.search.chat.list", FIND="ничего"))["result"] == []


async def test_outsiders_are_dropped_after_counting(call: Call) -> None:
    body = await call("im.search.user.list", FIND="miller")
    assert (body["result"], body["total"]) == ([], 1)


async def test_methods_about_oneself(call: Call, client: httpx.AsyncClient, portal: DemoPortal) -> None:
    assert (await call("profile"))["result"]["ID"] == "1"
    assert (await call("user.current"))["result"]["LAST_NAME"] == "Соколова"
    assert "im" in (await call("scope"))["result"]
    assert (await call("server.time"))["result"] == "2026-11-21T15:00:00+03:00"
    assert (await call("app.info"))["result"].keys() == {"SCOPE", "LICENSE"}
    portal.statuses = "docs"
    refused = await client.post("app.info")
    assert (refused.status_code, refused.json()["error"]) == (400, "ACCESS_DENIED")
