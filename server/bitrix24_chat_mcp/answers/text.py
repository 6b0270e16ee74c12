"""Records -> text: one heading line, then one line a chat, its fields separated by tabs.

No field can hold a tab or a line break (`clean` sees to it), so a row cannot be forged.
"""

from collections.abc import Iterable

import regex

from .confusables import skeleton
from .records import ChatList, ChatRow, PinOutcome
from .sanitize import quoted

_FLAGS = ("pinned", "muted", "marked_unread", "file")
_MORE = ("position", "members", "role", "owner", "created")
_FOREIGN = ("position", "role")
_NEXT_FACT = regex.compile(r"\p{Terminal_Punctuation}\s*[\p{Ll}\p{Lo}\p{N}]")


def chat_list(page: ChatList) -> str:
    """Write a page of a chat list."""
    return "\n".join(["; ".join(_heading(page)), *map(_line, page.chats)])


def pin_outcome(outcome: PinOutcome) -> str:
    """Say what came of pinning or unpinning."""
    name = named(outcome.dialog_id, outcome.title)
    if outcome.changed is False:
        said = [f"{name} was {'pinned' if outcome.pinned else 'not pinned'} already, nothing changed"]
    else:
        said = [f"{'Pinned' if outcome.pinned else 'Unpinned'} {name}"]
    if outcome.pins is not None:
        said.append(f"pinned chats now: {outcome.pins}")
    if outcome.undo:
        said.append(f"undo: dialog_id={outcome.undo.dialog_id}, pin={str(outcome.undo.pin).lower()}")
    return origin(outcome.portal) + "; ".join([*said, *outcome.notes])


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


def _line(row: ChatRow) -> str:
    state = [row.why] if row.why else []
    state += [f"{row.unread} unread"] if row.unread else []
    state += [name for name in _FLAGS if getattr(row, name)]
    more = [f"{name} {value}" for name in _MORE if (value := _fact(row, name))]
    said = [row.last_at, row.last_author, row.last_text, row.link, ", ".join(more)]
    return "\t".join([row.dialog_id, row.kind, row.title, ", ".join(state), *said]).rstrip("\t")


def _fact(row: ChatRow, name: str) -> str | int:
    """Return a value of the field that holds several; foreign text that could be read as more is quoted."""
    value = getattr(row, name)
    if name not in _FOREIGN or not _may_be_several(value):
        return value
    return quoted(value)


def _may_be_several(value: str) -> bool:
    letters = skeleton(value)
    return _NEXT_FACT.search(value) is not None or any(name in letters for name in _MORE)


def chat(row: ChatRow) -> str:
    """Write all that is known of one chat, a line a field."""
    return "\n".join(f"{name}: {value}" for name, value in row.compact().items())
