"""An assistant reads a list page by page, while the office goes on."""

from itertools import cycle

import pytest
from bitrix24_demo_portal import DemoPortal
from hypothesis import given, settings
from hypothesis import strategies as st
from support.conversation import Conversation, connected, facts, text

CLOCK = 1_795_275_000.0
EVENT = st.tuples(st.sampled_from(["say", "pin", "hide", "add"]), st.integers(0, 1000))


def happen(portal: DemoPortal, event: str, which: int) -> None:
    world, now = portal.world, portal.now()
    rows = sorted(world.recent(1), key=lambda row: row.chat.id)
    row = rows[which % len(rows)]
    if event == "say":
        world.say(row.chat, type(row.chat.messages[-1])(9, "ping", now)) if row.chat.messages else None
    elif event == "pin" and not row.pinned:
        world.pin(1, row, now)
    elif event == "pin":
        row.pinned, row.updated = False, now
    elif event == "hide":
        del world.rows[1][row.chat.id]
    else:
        chat = world.add_chat("New", "chat", "C", {1, 9})
        world.say(chat, type(rows[0].chat.messages[-1])(9, "hello", now))


@settings(max_examples=12)
@given(events=st.lists(EVENT, max_size=12), limit=st.integers(3, 25))
async def test_no_chat_that_stays_is_skipped_or_shown_twice(
    events: list[tuple[str, int]], limit: int
) -> None:
    portal = DemoPortal(clock=lambda: CLOCK, rate=float("inf"))
    pending, seen, arguments = iter(events), list[str](), {"limit": limit, "detail": "brief"}
    async with connected(portal, limits={"cache": 0}) as client:
        everything = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
        before = {chat["dialog_id"] for chat in everything["chats"]}
        while True:
            page = facts(await client.call_tool("list_recent_chats", arguments))
            seen += [chat["dialog_id"] for chat in page["chats"]]
            if "next_cursor" not in page:
                break
            arguments["cursor"] = page["next_cursor"]
            portal.advance(60)
            for event, which in (pair for pair, _ in zip(pending, range(3), strict=False)):
                happen(portal, event, which)
        after = facts(await client.call_tool("list_recent_chats", {"limit": 200, "detail": "brief"}))
    assert len(seen) == len(set(seen))
    assert before & {chat["dialog_id"] for chat in after["chats"]} <= set(seen)


async def test_limit_and_detail_may_change_from_page_to_page(converse: Conversation) -> None:
    seen, cursor, total = list[str](), "", 0
    details, limits = cycle(["brief", "normal", "full"]), cycle([5, 11, 30])
    async with converse() as client:
        while cursor is not None:
            arguments = {"limit": next(limits), "detail": next(details), "cursor": cursor}
            page = facts(await client.call_tool("list_recent_chats", arguments))
            seen += [chat["dialog_id"] for chat in page["chats"]]
            cursor, total = page.get("next_cursor"), page["total"]
    assert len(seen) == len(set(seen)) == total


async def test_the_order_of_kinds_and_the_zone_of_a_date_make_no_other_list(converse: Conversation) -> None:
    first = {"kinds": ["group", "person"], "last_sync_date": "2026-11-20T12:00:00+03:00", "limit": 2}
    async with converse() as client:
        cursor = facts(await client.call_tool("list_recent_chats", first))["next_cursor"]
        then = {"kinds": ["person", "group"], "last_sync_date": "2026-11-20T09:00:00Z", "cursor": cursor}
        assert not (await client.call_tool("list_recent_chats", then)).is_error


async def test_a_foreign_forged_or_stale_cursor_is_refused_with_the_reason(
    converse: Conversation, portal: DemoPortal
) -> None:
    async with converse(limits={"cache": 0}) as client, converse(webhook_url=portal.webhook(9)) as other:
        cursor = facts(await client.call_tool("list_recent_chats", {"limit": 5}))["next_cursor"]
        refused = {
            "is not a cursor of this server": {"cursor": "page 2"},
            "is not a cursor that this server gave this user": {"cursor": cursor[:-6]},
            "belongs to a call with other arguments": {"cursor": cursor, "show": "unread"},
        }
        for reason, arguments in refused.items():
            result = await client.call_tool("list_recent_chats", arguments)
            assert result.is_error
            assert text(result).startswith(f"INVALID_CURSOR: The cursor {reason}")
        theirs = await other.call_tool("list_recent_chats", {"cursor": cursor})
        assert text(theirs).startswith("INVALID_CURSOR: The cursor is not a cursor that this server gave")
        portal.advance(90_000)
        stale = await client.call_tool("list_recent_chats", {"cursor": cursor})
        assert text(stale).startswith("INVALID_CURSOR: The cursor is stale, more than a day old")


@pytest.mark.parametrize("show", ["all", "attention", "unread"])
async def test_a_list_of_900_is_read_to_its_end_in_any_order(show: str) -> None:
    portal = DemoPortal(clock=lambda: CLOCK, chats=900, rate=float("inf"))
    seen, arguments = list[str](), {"limit": 200, "detail": "brief", "show": show}
    async with connected(portal, limits={"cache": 0}) as client:
        while True:
            page = facts(await client.call_tool("list_recent_chats", arguments))
            seen += [chat["dialog_id"] for chat in page["chats"]]
            if "next_cursor" not in page:
                break
            arguments["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == page.get("matching", page["total"])
