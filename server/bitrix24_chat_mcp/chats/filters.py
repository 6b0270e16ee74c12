"""Filters a chat list by kind, by state and by text, and counts what each filter leaves out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.portal.api.models import Chat

from . import triage
from .query import ChatQuery, Show

Hidden = dict[str, dict[str, int]]
"""By filter, how many chats of which kind it left out."""
LONGEST_TITLE = 255
"""Characters of a title that are compared; Bitrix24 itself lets no title be longer."""
_Filter = Callable[[list[Chat]], list[Chat]]


@dataclass(frozen=True, slots=True)
class FilteredChats:
    """The chats that match, in order; `why` gives the reasons of those that wait for the user."""

    chats: list[Chat]
    why: dict[str, str]
    hidden: Hidden


def apply_filter(chats: Sequence[Chat], query: ChatQuery, now: datetime) -> FilteredChats:
    """Filter and order the whole list, before any page is cut."""
    why: dict[str, str] = {}
    filters: list[tuple[str, _Filter]] = [
        ("kinds", lambda some: [chat for chat in some if not query.kinds or chat.kind in query.kinds]),
        (f"show={query.show}", _show_filter(query.show, now, why)),
        ("query", lambda some: _search(query.text, some)),
    ]
    matching, hidden = list(chats), Hidden()
    for name, apply in filters:
        before, matching = matching, apply(matching)
        if len(matching) < len(before):
            hidden[name] = _count_left_out(before, matching)
    return FilteredChats(matching, why, hidden)


def _show_filter(show: Show, now: datetime, why: dict[str, str]) -> _Filter:
    """Return the filter by state; `attention` also writes its reasons into `why`."""

    def attention(chats: list[Chat]) -> list[Chat]:
        ranked = triage.rank(chats, now)
        why.update((chat.dialog_id, reason) for chat, reason in ranked)
        return [chat for chat, _ in ranked]

    by_state: dict[Show, _Filter] = {
        "all": list,
        "unread": lambda chats: [chat for chat in chats if chat.unread or chat.marked_unread],
        "pinned": lambda chats: [chat for chat in chats if chat.pinned],
        "attention": attention,
    }
    return by_state[show]


def _count_left_out(before: list[Chat], after: list[Chat]) -> dict[str, int]:
    matching = {chat.dialog_id for chat in after}
    return dict(Counter(chat.kind for chat in before if chat.dialog_id not in matching).most_common())


def _search(text: str, chats: list[Chat]) -> list[Chat]:
    """Return the chats whose title or position matches, the best match first."""
    if not text.strip():
        return chats
    from .search.match import rank  # noqa: PLC0415 - fuzzy matching is heavy, and most calls search nothing

    names = ((sanitize(chat.title, LONGEST_TITLE), sanitize(chat.position, LONGEST_TITLE)) for chat in chats)
    titles = [tuple(filter(None, both)) or ("",) for both in names]
    return [chats[index] for index in rank(text, titles)]
