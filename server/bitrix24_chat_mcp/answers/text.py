"""Records -> text: one heading line, then one line a chat, its fields separated by tabs.

No field can hold a tab or a line break (`clean` sees to it), so a row cannot be forged.
"""

from .records import ChatList, ChatRow, PinOutcome

COLUMNS = "dialog_id, kind, title, state, last_at, author, last message, link"


def chat_list(page: ChatList) -> str:
    """Write a page of a chat list."""
    return "\n".join([_heading(page), *map(_line, page.chats)])


def pin_outcome(outcome: PinOutcome) -> str:
    """Say what came of pinning or unpinning, in a sentence."""
    name = f"“{outcome.title}” ({outcome.dialog_id})" if outcome.title else outcome.dialog_id
    state = "pinned" if outcome.pinned else "not pinned"
    if outcome.changed is False:
        said = f"{name} was {state} already; nothing changed."
    else:
        said = f"{'Pinned' if outcome.pinned else 'Unpinned'} {name}."
    return f"{_origin(outcome.portal)}{said}"


def _heading(page: ChatList) -> str:
    parts = [
        f"{page.shown} of {page.total} chats",
        f"{page.unread} unread in {page.unread_chats} chats" if page.unread_chats else "nothing unread",
        f"as of {page.as_of}",
        *page.notes,
    ]
    if page.next_offset is not None:
        parts.append(f"next_offset {page.next_offset}")
    if page.chats:
        parts.append(f"columns: {COLUMNS}")
    return f"{_origin(page.portal)}{'; '.join(parts)}"


def _origin(portal: str) -> str:
    return f"[{portal}] " if portal else ""


def _line(row: ChatRow) -> str:
    state = [f"{row.unread} unread"] if row.unread else []
    state += [name for name in ("pinned", "muted", "marked_unread") if getattr(row, name)]
    said = [row.last_at, row.last_author, row.last_text]
    fields = [row.dialog_id, row.kind, row.title, ", ".join(state), *said, row.link]
    return "\t".join(fields).rstrip("\t")
