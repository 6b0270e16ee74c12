"""Cuts the page that an answer shows out of a listing, and says what the page leaves out."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from bitrix24_chat_mcp.answers import token_budget
from bitrix24_chat_mcp.answers.records import ChatList, ChatRow, RenderContext, odd_name, row
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError
from bitrix24_chat_mcp.portal.api.models import Chat, Listing

from . import cursor
from .filters import FilteredChats, apply_filter
from .query import ChatQuery

MOST_NAMED = 5


def make_page(
    listing: Listing,
    query: ChatQuery,
    render: RenderContext,
    key: bytes,
    *,
    notes: Sequence[str] = (),
    portal: str = "",
) -> ChatList:
    """Return the page that the query asks for, with figures of the whole list.

    `key` signs the user's cursors; `notes` come before those of the page; `portal` labels what is not a
    real portal's. Raises InvalidRequestError where the query's cursor cannot be followed.
    """
    chats, now = listing.chats, render.now
    position = _position(query, key, now)
    matching = apply_filter(chats, query, now)
    unshown = position.remaining(matching.chats, now)
    wanted = unshown[: position.page_size(query.limit)]

    def cursor_after(shown: Sequence[Chat]) -> str:
        return cursor.encode(position.advance(shown, now), query.identity, key)

    following = cursor_after(wanted)
    rows, cut = _rows(wanted, render._replace(why=matching.why), len(following))
    following = following if len(rows) == len(wanted) else cursor_after(wanted[: len(rows)])
    return ChatList(
        total=len(chats),
        matching=_count_matching(matching, len(chats)),
        shown=len(rows),
        unread=sum(chat.unread for chat in chats),
        unread_chats=sum(1 for chat in chats if chat.unread),
        as_of=now.isoformat(timespec="seconds"),
        hidden=matching.hidden,
        notes=[
            *([matching.guess] if matching.guess else []),
            *notes,
            *cut,
            *_flood(matching.chats, query),
            *_odd(listing.odd),
        ],
        portal=portal,
        chats=rows,
        next_cursor=following if len(rows) < len(unshown) else "",
    )


def _count_matching(matching: FilteredChats, total: int) -> int | None:
    """Count the chats that match, if fewer than all; a guess is no match."""
    if matching.guess:
        return 0
    return len(matching.chats) if len(matching.chats) < total else None


def _position(query: ChatQuery, key: bytes, now: datetime) -> cursor.PagePosition:
    if not query.cursor:
        return cursor.start(now)
    try:
        return cursor.decode(query.cursor, query.identity, key, now)
    except cursor.CursorError as error:
        raise InvalidRequestError(
            "INVALID_CURSOR", f"The cursor {error}.", "Leave cursor out for the first page."
        ) from None


def _rows(chats: Sequence[Chat], render: RenderContext, taken: int) -> tuple[list[ChatRow], list[str]]:
    """Return the rows that fit beside `taken` characters, and say what was cut for it."""
    usual = token_budget.preview_length([len(chat.message.text) for chat in chats])
    rows = [row(chat, render, usual) for chat in chats]
    fitting, _ = token_budget.fit(rows, taken)
    cut: list[str] = []
    if any(one.last_text != whole.last_text for one, whole in zip(fitting, rows, strict=False)):
        kept = any(one.last_text for one in fitting)
        cut.append(f"previews {'shortened' if kept else 'left out'} for room")
    if dropped := len(rows) - len(fitting):
        cut.append(f"the last {dropped} rows of this page left to the next")
    return fitting, [", ".join(cut)] if cut else []


def _flood(chats: Sequence[Chat], query: ChatQuery) -> list[str]:
    """Count task chats and bots, where they outnumber the rest and the caller asked for no kinds."""
    kinds = Counter(chat.kind for chat in chats)
    if query.kinds or (kinds["task"] + kinds["bot"]) * 2 <= len(chats):
        return []
    return [f"task chats ({kinds['task']}) and bots ({kinds['bot']}) outnumber the rest"]


def _odd(odd: Sequence[str]) -> list[str]:
    if not odd:
        return []
    names = ", ".join(map(odd_name, odd[:MOST_NAMED])) + (", …" if len(odd) > MOST_NAMED else "")
    return [f"items left out as unreadable: {len(odd)} ({names})"]
