"""The portal does a write and cuts the connection before its answer: what is sent again, what is said."""

import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult
from support.conversation import Era, connected_by_sockets, facts, text

SETS = ["marks", "tidy"]
LOST = Fault(close="before", performed=True)
BUSY = {"dialog_id": "chat1201"}
IDEMPOTENT: dict[str, tuple[str, dict[str, object]]] = {
    "im.dialog.read": ("mark_chat", {"as": "read", "up_to": 80421}),
    "im.dialog.unread": ("mark_chat", {"as": "unread", "up_to": 80415}),
    "im.recent.unread": ("mark_chat", {"as": "unread"}),
    "im.chat.mute": ("mute_chat", {"muted": True}),
}


async def agreed(context: object, params: ElicitRequestParams) -> ElicitResult:
    del context, params
    return ElicitResult(action="accept", content={"proceed": True})


def calls(portal: DemoPortal, method: str) -> int:
    return sum(request.method == method for request in portal.requests)


async def lose(
    portal: DemoPortal, era: Era, method: str, tool: str, arguments: dict[str, object]
) -> CallToolResult:
    portal.fail(method, LOST, 1)
    async with connected_by_sockets(portal, era, agreed, toolsets=SETS) as client:
        return await client.call_tool(tool, arguments)


@pytest.mark.parametrize("method", IDEMPOTENT)
async def test_a_mark_whose_answer_is_lost_is_sent_again(portal: DemoPortal, era: Era, method: str) -> None:
    tool, arguments = IDEMPOTENT[method]
    result = await lose(portal, era, method, tool, {**BUSY, **arguments})
    assert not result.is_error, text(result)
    assert calls(portal, method) == 2


async def test_hide_chat_whose_answer_is_lost_is_sent_once_and_says_that_it_is_done(
    portal: DemoPortal, era: Era
) -> None:
    result = await lose(portal, era, "im.recent.hide", "hide_chat", {"dialog_id": "7"})
    assert text(result) == "Hid “Мария Кузнецова” (7); unread messages marked read with it: 2; no undo"
    assert calls(portal, "im.recent.hide") == 1


async def test_mark_all_read_whose_answer_is_lost_is_sent_once_and_says_that_it_is_done(
    portal: DemoPortal, era: Era
) -> None:
    portal.world.queues.clear()
    result = await lose(portal, era, "im.dialog.read.all", "mark_all_read", {})
    page = facts(result)
    assert page == {"done": True, "messages": page["messages"], "chats": page["chats"], "notes": ["no undo"]}
    assert (
        text(result) == f"Marked all as read: {page['messages']} messages in {page['chats']} chats; no undo"
    )
    assert page["messages"] > 30
    assert calls(portal, "im.dialog.read.all") == 1


async def test_mark_all_read_whose_answer_is_lost_claims_nothing_while_something_is_unread(
    portal: DemoPortal, era: Era
) -> None:
    """A client who waits in the queue of an open line counts as unread, whatever is done."""
    result = await lose(portal, era, "im.dialog.read.all", "mark_all_read", {})
    assert result.is_error
    assert text(result) == (
        "CONNECTION_BROKEN: The connection to the portal broke before the answer was whole. The change may "
        "have been made all the same; look before asking for it again. Try again in a minute."
    )
    assert calls(portal, "im.dialog.read.all") == 1
