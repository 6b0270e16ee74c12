"""im.dialog.get, the searches for chats and people, and what a caller learns about itself."""

import httpx
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
