"""Records of messages -> text: one heading line, then one line a message, its fields separated by tabs.

No field can hold a tab or a line break (`sanitize` sees to it), so neither a message nor the line above
the unread ones can be forged.
"""

from collections.abc import Iterable, Iterator

from .history_records import ChatHistory, FoundMessages, MessageRow
from .sanitize import quoted
from .text import named, origin

UNREAD_LINE = "--- unread from here ---"
_FLAGS = {"mentions_you": "mentions you", "call": "call", "edited": "edited", "deleted": "deleted"}


def chat_history(page: ChatHistory) -> str:
    """Write a page of a chat's messages."""
    said = [f"{origin(page.portal)}{_messages(page.shown)} of {named(page.dialog_id, page.title)}"]
    said += [f"unread from {page.unread_from}"] if page.unread_from else []
    said += [f"as of {page.as_of}", *page.notes]
    said += [f"earlier: before={page.before}"] if page.before else []
    return "\n".join(["; ".join(said), *_lines(page)])


def found_messages(page: FoundMessages) -> str:
    """Write what a search in a chat found."""
    count = _messages(page.shown) if page.shown else "no message"
    said = [f"{origin(page.portal)}{count} found in {named(page.dialog_id, page.title)}"]
    said += [f"searched: {page.searched}", f"as of {page.as_of}", *page.notes]
    said += [f"next_cursor {page.next_cursor}"] if page.next_cursor else []
    return "\n".join(["; ".join(said), *map(_line, page.messages)])


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _lines(page: ChatHistory) -> Iterator[str]:
    for row in page.messages:
        if row.id == page.unread_from:
            yield UNREAD_LINE
        yield _line(row)


def _line(row: MessageRow) -> str:
    return "\t".join([str(row.id), row.at, row.author, row.text, ", ".join(_more(row))]).rstrip("\t")


def _more(row: MessageRow) -> Iterable[str]:
    if row.quote:
        yield f"answers {quoted(row.quote, marks='“”')}"
    yield from (f"file {quoted(name, marks='“”')}" for name in row.files)
    if row.more_files:
        yield f"{row.more_files} more files"
    yield from (said for name, said in _FLAGS.items() if getattr(row, name))
