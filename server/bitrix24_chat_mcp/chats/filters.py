"""Which chats an answer is about: by kind, by state, by name; and what that leaves out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.portal.api.models import Chat

from . import triage

Show = Literal["all", "unread", "pinned", "attention"]
Hidden = dict[str, dict[str, int]]
"""By filter, how many chats of which kind it left out."""


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """What a caller wants to see of a list."""

    query: str = ""
    show: Show = "all"
    kinds: tuple[str, ...] = ()


EVERYTHING = ChatFilter()
LONGEST_QUERY, LONGEST_TITLE = 200, 255
"""Characters that are compared; Bitrix24 itself lets no title be longer."""


@dataclass(frozen=True, slots=True)
class FilteredChats:
    """The chats that were chosen, in order; `why` gives the reasons of those that wait for the user."""

    chats: list[Chat]
    why: dict[str, str]
    hidden: Hidden


def apply_filter(chats: Sequence[Chat], choice: ChatFilter, now: datetime) -> FilteredChats:
    """Choose out of the whole list, before any page is cut."""
    why: dict[str, str] = {}

    def waiting(those: list[Chat]) -> list[Chat]:
        ranked = triage.rank(those, now)
        why.update((chat.dialog_id, reason) for chat, reason in ranked)
        return [chat for chat, _ in ranked]

    shows: dict[Show, Callable[[list[Chat]], list[Chat]]] = {
        "all": list,
        "unread": lambda those: [chat for chat in those if chat.unread or chat.marked_unread],
        "pinned": lambda those: [chat for chat in those if chat.pinned],
        "attention": waiting,
    }
    steps: list[tuple[str, Callable[[list[Chat]], list[Chat]]]] = [
        ("kinds", lambda those: [chat for chat in those if not choice.kinds or chat.kind in choice.kinds]),
        (f"show={choice.show}", shows[choice.show]),
        ("query", lambda those: _named(choice.query, those)),
    ]
    chosen, hidden = list(chats), Hidden()
    for name, step in steps:
        left = step(chosen)
        if len(left) < len(chosen):
            hidden[name] = _tally(chosen, left)
        chosen = left
    return FilteredChats(chosen, why, hidden)


def _tally(before: list[Chat], after: list[Chat]) -> dict[str, int]:
    left = {chat.dialog_id for chat in after}
    return dict(Counter(chat.kind for chat in before if chat.dialog_id not in left).most_common())


def _named(query: str, chats: list[Chat]) -> list[Chat]:
    if not query.strip():
        return chats
    from .search.match import rank  # noqa: PLC0415 - fuzzy matching is imported by whoever asks for a name

    names = ((sanitize(chat.title, LONGEST_TITLE), sanitize(chat.position, LONGEST_TITLE)) for chat in chats)
    titles = [tuple(filter(None, both)) or ("",) for both in names]
    return [chats[place] for place in rank(query, titles)]
