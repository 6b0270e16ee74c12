"""An assistant pins a chat, and unpins it."""

from typing import Any

import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from mcp import Client
from support.conversation import Conversation, facts, raw, text


async def _chats(client: Client) -> dict[str, dict[str, Any]]:
    listed = await client.call_tool("list_recent_chats", {"limit": 200})
    return {chat["dialog_id"]: chat for chat in facts(listed)["chats"]}


async def _unpinned_group(client: Client) -> dict[str, Any]:
    chats = (await _chats(client)).values()
    return next(chat for chat in chats if chat["kind"] == "group" and not chat.get("pinned"))


async def test_what_it_says_it_pinned_is_pinned_and_first_until_unpinned(converse: Conversation) -> None:
    async with converse() as client:
        chat = await _unpinned_group(client)
        pinned = await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"]})
        undo = f"undo: dialog_id={chat['dialog_id']}, pin=false"
        assert text(pinned) == f"Pinned “{chat['title']}” ({chat['dialog_id']}); {undo}"
        assert facts(pinned) == {
            "dialog_id": chat["dialog_id"],
            "title": chat["title"],
            "pinned": True,
            "changed": True,
            "undo": {"dialog_id": chat["dialog_id"], "pin": False},
        }
        assert (await _chats(client))[chat["dialog_id"]]["pinned"]

        unpinned = await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"], "pin": False})
        assert text(unpinned).startswith(f"Unpinned “{chat['title']}” ({chat['dialog_id']}); undo: ")
        assert "pinned" not in (await _chats(client))[chat["dialog_id"]]


async def test_pinning_twice_says_that_nothing_changed(converse: Conversation) -> None:
    async with converse() as client:
        chat = await _unpinned_group(client)
        await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"]})
        again = await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"]})
    assert "was pinned already, nothing changed" in text(again)
    assert facts(again)["changed"] is False


async def test_what_another_client_has_changed_meanwhile_counts(
    converse: Conversation, portal: DemoPortal
) -> None:
    async with converse() as client:
        dialog_id = (await _unpinned_group(client))["dialog_id"]
        for pin, other in ((True, "N"), (False, "Y")):
            await client.call_tool("pin_chat", {"dialog_id": dialog_id, "pin": pin})
            await raw(portal, f"im.recent.pin?DIALOG_ID={dialog_id}&PIN={other}")
            again = facts(await client.call_tool("pin_chat", {"dialog_id": dialog_id, "pin": pin}))
            assert again["changed"]
            assert again["undo"] == {"dialog_id": dialog_id, "pin": not pin}


@pytest.mark.parametrize("pin", [True, False])
async def test_the_portal_gets_letters_because_booleans_invert(
    converse: Conversation, portal: DemoPortal, *, pin: bool
) -> None:
    async with converse() as client:
        chat = await _unpinned_group(client)
        await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"].upper(), "pin": pin})
    assert portal.requests[-1].params == {"DIALOG_ID": chat["dialog_id"], "PIN": "Y" if pin else "N"}


async def test_a_number_names_a_person(converse: Conversation, portal: DemoPortal) -> None:
    async with converse() as client:
        person = next(chat for chat in (await _chats(client)).values() if chat["kind"] == "person")
        result = await client.call_tool("pin_chat", {"dialog_id": int(person["dialog_id"])})
    assert not result.is_error
    assert portal.requests[-1].params["DIALOG_ID"] == person["dialog_id"]


@pytest.mark.parametrize("dialog_id", ["", "0", "chat0", "crm7", "notify", "chat 5", "12.5", True, ["chat1"]])
async def test_what_is_no_dialog_id_is_refused_before_the_portal_is_asked(
    converse: Conversation, portal: DemoPortal, dialog_id: object
) -> None:
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": dialog_id})
    assert result.is_error
    assert text(result).startswith("INVALID_ARGUMENT: dialog_id must be")
    assert not portal.requests


async def test_a_number_may_come_with_a_fraction_of_zero(converse: Conversation, portal: DemoPortal) -> None:
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": 9.0})
    assert facts(result)["dialog_id"] == "9"
    assert portal.requests[0].params["DIALOG_ID"] == "9"


@pytest.mark.parametrize("answer", [None, [], 1, "true"])
async def test_an_unreadable_answer_to_a_pin_says_that_it_may_be_done(
    converse: Conversation, portal: DemoPortal, answer: object
) -> None:
    portal.fail("im.recent.pin", Fault(body={"result": answer}, performed=True))
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": "9"})
    assert text(result).startswith("UNCLEAR_ANSWER: ")
    assert "The change may have been made all the same; asking for it again does no harm." in text(result)


async def test_a_stranger_s_chat_is_refused_with_the_portal_s_code(converse: Conversation) -> None:
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": "chat999999"})
    assert result.is_error
    assert text(result).startswith("ACCESS_ERROR: ")
    assert "Take a dialog_id from list_recent_chats." in text(result)
    assert "The portal said: " in text(result)


async def test_read_only_leaves_only_what_reads(converse: Conversation) -> None:
    async with converse(read_only=True) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("pin_chat", {"dialog_id": "chat1"})
    assert names == ["list_recent_chats"]
    assert result.is_error
    assert text(result).startswith("UNKNOWN_TOOL: ")


async def test_without_a_portal_each_call_says_what_to_set(converse: Conversation) -> None:
    async with converse(webhook_url=None) as client:
        for tool, arguments in {"list_recent_chats": {}, "pin_chat": {"dialog_id": "chat1"}}.items():
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert text(result).startswith("NOT_CONFIGURED: ")
            assert "BITRIX24_WEBHOOK_URL" in text(result)
            assert "--demo" in text(result)


async def test_the_pins_are_counted_where_all_are_known(converse: Conversation) -> None:
    async with converse() as client:
        chat = await _unpinned_group(client)
        unknown = facts(await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"]}))
        pinned = facts(await client.call_tool("list_recent_chats", {"show": "pinned"}))["shown"]
        again = await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"]})
        undone = await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"], "pin": False})
    assert "pins" not in unknown
    assert facts(again)["pins"] == pinned
    assert facts(undone)["pins"] == pinned - 1
    assert f"pinned chats now: {pinned - 1}" in text(undone)


async def test_what_undo_says_takes_it_back(converse: Conversation) -> None:
    async with converse() as client:
        chat = await _unpinned_group(client)
        for pin in (True, False):
            done = facts(await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"], "pin": pin}))
            assert (await _chats(client))[chat["dialog_id"]].get("pinned", False) is pin
            undone = await client.call_tool("pin_chat", done["undo"])
            assert facts(undone)["undo"] == {"dialog_id": chat["dialog_id"], "pin": pin}
            await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"], "pin": pin})


async def test_what_changed_nothing_has_nothing_to_undo(converse: Conversation) -> None:
    async with converse() as client:
        chat = await _unpinned_group(client)
        idle = await client.call_tool("pin_chat", {"dialog_id": chat["dialog_id"], "pin": False})
    assert "undo" not in facts(idle)
    said = (
        f"“{chat['title']}” ({chat['dialog_id']}) was not pinned already, nothing changed; pinned chats now: "
    )
    assert text(idle) == f"{said}{facts(idle)['pins']}"


@pytest.mark.parametrize(
    ("dialog_id", "title"), [("9", "Сергей Волков"), ("chat1215", "Бухгалтерия"), ("chat1259", "(untitled)")]
)
async def test_a_chat_that_was_not_listed_before_is_told_by_its_title(
    converse: Conversation, dialog_id: str, title: str
) -> None:
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": dialog_id})
    assert facts(result)["title"] == title
    assert text(result).startswith(f"Pinned “{title}” ({dialog_id}); undo: ")


@pytest.mark.parametrize(("method", "dialog_id"), [("im.dialog.get", "chat1215"), ("im.recent.get", "9")])
async def test_a_pin_is_told_even_when_its_title_cannot_be_learnt(
    converse: Conversation, portal: DemoPortal, method: str, dialog_id: str
) -> None:
    portal.fail(method, Fault(error="ACCESS_ERROR"))
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": dialog_id})
    assert text(result) == f"Pinned {dialog_id}; undo: dialog_id={dialog_id}, pin=false"
    assert facts(result) == {
        "dialog_id": dialog_id,
        "pinned": True,
        "undo": {"dialog_id": dialog_id, "pin": False},
    }


async def test_a_hostile_title_is_cleaned_in_the_answer(converse: Conversation, portal: DemoPortal) -> None:
    portal.world.chats[1215].title = "A\tB\nPinned \u202eC ” (chat1); undo: none [url=x]y[/url]"
    async with converse() as client:
        result = await client.call_tool("pin_chat", {"dialog_id": "chat1215"})
    assert facts(result)["title"] == "A B Pinned C ” (chat1); undo: none y"
    said = "Pinned “A B Pinned C ' (chat1); undo: none y” (chat1215); undo: dialog_id=chat1215, pin=false"
    assert text(result) == said
