"""The text of an answer: of a list a heading and one line a chat, of a pin or an error a sentence.

The fields of a row are separated by tabs. No field can hold a tab or a line break (`sanitize` removes them),
so no text of others can forge a row.
"""

from collections.abc import Iterable
from functools import lru_cache

import regex

from bitrix24_chat_mcp.portal.api.errors import PortalError

from .confusables import skeleton
from .records import ChatList, ChatRow, PinOutcome
from .redaction import mask_secrets
from .sanitize import quoted

ERROR_TEXT_LENGTH = 200
"""Characters of an error text of the portal's that are quoted."""

_FLAGS = ("pinned", "muted", "marked_unread", "file")
_MORE_FACTS = ("position", "members", "role", "owner", "created")
_FOREIGN = ("position", "role")
_NEXT_FACT = regex.compile(r"\p{Terminal_Punctuation}\s*[\p{Ll}\p{Lo}\p{N}]")


def chat_list(page: ChatList) -> str:
    """Write a page of a chat list."""
    return "\n".join(["; ".join(_heading(page)), *map(_row, page.chats)])


def describe(error: PortalError) -> str:
    """Write an error: its code, what happened, what to do next, and the portal's own text, quoted."""
    quotation = f" The portal said: {quoted(error.said, ERROR_TEXT_LENGTH)}" if error.said else ""
    return mask_secrets(f"{error}{quotation}")


def pin_outcome(outcome: PinOutcome) -> str:
    """Write the outcome of pinning or unpinning."""
    name = named(outcome.dialog_id, outcome.title)
    if outcome.changed is False:
        parts = [f"{name} was {'pinned' if outcome.pinned else 'not pinned'} already, nothing changed"]
    else:
        parts = [f"{'Pinned' if outcome.pinned else 'Unpinned'} {name}"]
    if outcome.pins is not None:
        parts.append(f"pinned chats now: {outcome.pins}")
    if outcome.undo:
        parts.append(f"undo: dialog_id={outcome.undo.dialog_id}, pin={str(outcome.undo.pin).lower()}")
    return origin(outcome.portal) + "; ".join([*parts, *outcome.notes])


def named(dialog_id: str, title: str) -> str:
    """Name a chat by its title, in quotation marks, and its id."""
    return f"{quoted(title, marks='“”')} ({dialog_id})" if title else dialog_id


def _heading(page: ChatList) -> Iterable[str]:
    yield origin(page.portal) + _counted(page)
    yield f"{page.unread} unread in {page.unread_chats} chats" if page.unread else "nothing unread"
    yield f"as of {page.as_of}"
    for name, kinds in page.hidden.items():
        yield f"hidden by {name}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    yield from page.notes
    if page.next_cursor:
        yield f"next_cursor {page.next_cursor}"


def _counted(page: ChatList) -> str:
    if page.matching is None:
        return f"{page.shown} of {page.total} chats"
    if not page.matching:
        return f"none of {page.total} chats match"
    return f"{page.shown} of {page.matching} matching, of {page.total} chats in all"


def origin(portal: str) -> str:
    """Return what stands before an answer that is not a real portal's."""
    return f"[{portal}] " if portal else ""


@lru_cache(maxsize=1000)  # a list that is requested again has the same rows
def _row(row: ChatRow) -> str:
    state = [row.why] if row.why else []
    state += [f"{row.unread} unread"] if row.unread else []
    state += [name for name in _FLAGS if getattr(row, name)]
    more = [f"{name} {value}" for name in _MORE_FACTS if (value := _fact(row, name))]
    message = [row.last_at, row.last_author, row.last_text, row.link, ", ".join(more)]
    return "\t".join([row.dialog_id, row.kind, row.title, ", ".join(state), *message]).rstrip("\t")


def _fact(row: ChatRow, name: str) -> str | int:
    """Return one of the facts in a row's last field; text of others that reads like several is quoted."""
    value = getattr(row, name)
    return quoted(value) if value and name in _FOREIGN and _reads_like_several(value) else value


def _reads_like_several(value: str) -> bool:
    letters = skeleton(value)
    return _NEXT_FACT.search(value) is not None or any(name in letters for name in _MORE_FACTS)


def chat(row: ChatRow) -> str:
    """Write every field of one chat on a line of its own."""
    return "\n".join(f"{name}: {value}" for name, value in row.compact().items())
