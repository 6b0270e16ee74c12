"""An assistant lists the user's recent chats."""

from typing import Any

import pytest
from bitrix24_demo_portal import DemoPortal
from support.conversation import Conversation, facts, text


async def test_one_call_gives_the_heading_and_thirty_rows(converse: Conversation) -> None:
    async with converse() as client:
        result = await client.call_tool("list_recent_chats")
    heading, *rows = text(result).splitlines()
    assert not result.is_error
    assert heading.startswith("30 of ")
    assert len(rows) == 30


async def test_text_and_structure_hold_the_same_facts(converse: Conversation) -> None:
    async with converse() as client:
        result = await client.call_tool("list_recent_chats", {"limit": 200})
    page: dict[str, Any] = facts(result)
    heading, *rows = text(result).splitlines()
    assert len(rows) == page["shown"] == len(page["chats"])
    assert f"{page['shown']} of {page['total']} chats" in heading
    assert page["as_of"] in heading
    for line, chat in zip(rows, page["chats"], strict=True):
        fields = dict(enumerate(line.split("\t")))
        assert fields[0] == chat["dialog_id"]
        assert fields[1] == chat["kind"]
        assert fields[2] == chat["title"]
        state = fields.get(3, "")
        assert (f"{chat.get('unread')} unread" in state) is ("unread" in chat)
        assert all((flag in state) is chat.get(flag, False) for flag in ("pinned", "muted", "marked_unread"))
        assert fields.get(4, "") == chat.get("last_at", "")
        assert fields.get(5, "") == chat.get("last_author", "")
        assert fields.get(6, "") == chat.get("last_text", "")
        assert fields.get(7, "") == chat.get("link", "")


async def test_pages_follow_each_other_without_gap_or_repetition(converse: Conversation) -> None:
    seen: list[str] = []
    arguments: dict[str, object] = {"limit": 20}
    total = 0
    async with converse() as client:
        while "cursor" not in arguments or arguments["cursor"]:
            page = facts(await client.call_tool("list_recent_chats", arguments))
            seen += [chat["dialog_id"] for chat in page["chats"]]
            arguments["cursor"] = page.get("next_cursor")
            total = page["total"]
    assert len(seen) == len(set(seen)) == total


@pytest.mark.parametrize(
    ("argument", "wire"),
    [
        ("skip_openlines", "SKIP_OPENLINES"),
        ("skip_chat", "SKIP_CHAT"),
        ("skip_dialog", "SKIP_DIALOG"),
        ("only_openlines", "ONLY_OPENLINES"),
    ],
)
async def test_a_flag_travels_as_the_string_y(
    converse: Conversation, portal: DemoPortal, argument: str, wire: str
) -> None:
    async with converse() as client:
        await client.call_tool("list_recent_chats", {argument: True})
    assert portal.requests[-1].params == {wire: "Y"}


@pytest.mark.parametrize("argument", ["last_update", "last_sync_date"])
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-11-20T18:30:00+01:00", "2026-11-20T18:30:00+01:00"),
        ("2026-11-20T18:30:00Z", "2026-11-20T18:30:00+00:00"),
        ("2026-11-20T18:30:00.123-05:00", "2026-11-20T18:30:00-05:00"),
        ("2026-11-20T18:30:00+01:00:30", "2026-11-20T17:29:30+00:00"),
    ],
)
async def test_a_date_travels_with_a_numeric_offset_and_without_a_fraction(
    converse: Conversation, portal: DemoPortal, argument: str, given: str, sent: str
) -> None:
    async with converse() as client:
        await client.call_tool("list_recent_chats", {argument: given})
    assert portal.requests[-1].params == {"LAST_SYNC_DATE": sent}


async def test_the_list_says_what_the_portal_leaves_out(converse: Conversation) -> None:
    async with converse() as client:
        plain = text(await client.call_tool("list_recent_chats"))
        recent = text(
            await client.call_tool("list_recent_chats", {"last_sync_date": "2026-11-20T00:00:00+00:00"})
        )
        older = text(
            await client.call_tool("list_recent_chats", {"last_sync_date": "2026-11-01T00:00:00+00:00"})
        )
    assert "active in the last 30 days" in plain
    assert "chats that left the list are not told" in recent
    assert "changed in the last 7 days only" in older


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"limit": 0}, "INVALID_ARGUMENT: limit must be greater than or equal to 1."),
        ({"limit": 201}, "INVALID_ARGUMENT: limit must be less than or equal to 200."),
        ({"limit": "many"}, "INVALID_ARGUMENT: limit must be a valid integer."),
        ({"skip_chat": "perhaps"}, "INVALID_ARGUMENT: skip_chat must be a valid boolean."),
        (
            {"last_update": "2026-11-20T18:30:00"},
            "INVALID_ARGUMENT: last_update needs an offset from UTC, such as +03:00 or Z: without one it is "
            "not clear which moment is meant.",
        ),
        (
            {"last_sync_date": "yesterday"},
            "INVALID_ARGUMENT: last_sync_date must be an ISO 8601 date and time with an offset, such as "
            "2026-02-25T18:30:00+03:00.",
        ),
        (
            {"last_update": "2026-11-20T00:00:00Z", "last_sync_date": "2026-11-20T00:00:00Z"},
            "INVALID_ARGUMENT: last_update and last_sync_date are one filter: the portal lets the first "
            "overwrite the second. Give only last_sync_date.",
        ),
    ],
)
async def test_a_bad_argument_gets_a_sentence(
    converse: Conversation, portal: DemoPortal, arguments: dict[str, object], complaint: str
) -> None:
    async with converse() as client:
        result = await client.call_tool("list_recent_chats", arguments)
    assert result.is_error
    assert text(result) == complaint
    assert not portal.requests


async def test_an_unknown_argument_is_refused_by_name(converse: Conversation) -> None:
    async with converse() as client:
        result = await client.call_tool("list_recent_chats", {"limits": 5})
    assert result.is_error
    assert text(result).startswith(
        "UNKNOWN_ARGUMENT: list_recent_chats has no argument 'limits'. Did you mean limit?"
    )


async def test_a_null_means_not_given(converse: Conversation) -> None:
    async with converse() as client:
        result = await client.call_tool("list_recent_chats", {"limit": None, "last_update": None})
    assert not result.is_error
