"""Which chats an answer is about: by kind, by state, by name; and what that leaves out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from bitrix24_chat_mcp.portal.models import Chat

from . import attention
from .clean import clean, quoted

Show = Literal["all", "unread", "pinned", "attention"]
Hidden = dict[str, dict[str, int]]
"""By filter, how many chats of which kind it left out."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a caller wants to see of a list."""

    query: str = ""
    show: Show = "all"
    kinds: tuple[str, ...] = ()


EVERYTHING = Choice()
SEARCHED = 200
"""Characters of a title that are searched."""
QUERY_LENGTH = 80
"""Characters of a query that an answer repeats."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chats that were chosen, in order; `why` gives the reasons of those that wait for the user."""

    chats: list[Chat]
    why: dict[str, str]
    hidden: Hidden
    guess: str = ""
    """Where no chat has all of the query: what the chosen ones are nearest by."""


def choose(chats: Sequence[Chat], choice: Choice, now: datetime) -> Chosen:
    """Choose out of the whole list, before any page is cut."""
    why: dict[str, str] = {}

    def waiting(those: list[Chat]) -> list[Chat]:
        ranked = attention.rank(those, now)
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
    ]
    chosen, hidden = list(chats), Hidden()
    for name, step in steps:
        left = step(chosen)
        if len(left) < len(chosen):
            hidden[name] = _tally(chosen, left)
        chosen = left
    named, guess = _named(choice.query, chosen)
    if len(named) < len(chosen):
        hidden["query"] = _tally(chosen, named)
    return Chosen(named, why, hidden, guess)


def _tally(before: list[Chat], after: list[Chat]) -> dict[str, int]:
    left = {chat.dialog_id for chat in after}
    return dict(Counter(chat.kind for chat in before if chat.dialog_id not in left).most_common())


def _named(query: str, chats: list[Chat]) -> tuple[list[Chat], str]:
    """Return the chats that a query means, and what is to be said where that is a guess."""
    if not query.strip():
        return chats, ""
    # Fuzzy matching is imported by the first query.
    from bitrix24_chat_mcp.chats.search.match import Names, search  # noqa: PLC0415

    titles = [
        Names(_searched(chat.title), _searched(chat.position), is_person=True)
        if chat.kind == "person"
        else Names(_searched(chat.title))  # its position is that of whoever wrote last
        for chat in chats
    ]
    found = search(query, titles)
    by = " or ".join(quoted(words, QUERY_LENGTH) for words in found.nearest_by)
    guess = f"no chat has all of {quoted(query, QUERY_LENGTH)}; nearest by {by}" if by else ""
    return [chats[place] for place in found.places], guess


@lru_cache(maxsize=10_000)
def _searched(text: str) -> str:
    """Return a title as it is searched; a list is searched again and again."""
    return clean(text, SEARCHED)
