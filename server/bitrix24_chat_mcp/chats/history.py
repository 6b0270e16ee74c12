"""Reading one chat's messages, and searching in them. Neither marks anything as read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from bitrix24_chat_mcp.answers import history_records
from bitrix24_chat_mcp.answers.history_records import ChatHistory, FoundMessages, MessageRow, message_row
from bitrix24_chat_mcp.portal.api.dialogs import MOST_MESSAGES, PortalDialog
from bitrix24_chat_mcp.portal.api.errors import ApiError
from bitrix24_chat_mcp.portal.api.history import History, HistoryMessage
from bitrix24_chat_mcp.portal.transport.call_context import pop_notices
from bitrix24_chat_mcp.runtime.context import AppContext

from .chat_list import INLINE_CHARACTERS
from .opened_dialog import history_refusal, title

T = TypeVar("T")
FOUND_AT_ONCE = 20
_MARKS_NOTHING = "reading marks nothing as read"
_SQL_WILDCARDS = frozenset("%_")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which messages of a chat: the newest `limit`, or those before a message id."""

    before: int = 0
    limit: int = 20
    unread_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """What to search for in a chat, and when; `before` is a message id that the page before ended with."""

    text: str
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0


async def read_chat(context: AppContext, dialog_id: str, query: HistoryQuery) -> ChatHistory:
    """Return a page of a chat's messages, oldest first; raise PortalError."""
    dialog = PortalDialog(await context.portal(), dialog_id)
    try:
        history = await dialog.messages(query.limit + 1, query.before)
    except ApiError as error:
        raise await history_refusal(dialog, error) from None
    named = await title(context, dialog)
    page = partial(_history_page, dialog, history, query, named, pop_notices(), context.label)
    return await _render(context, dialog, history, page)


async def search_chat(context: AppContext, dialog_id: str, query: SearchQuery) -> FoundMessages:
    """Return the newest messages of a chat that hold a text; raise PortalError."""
    dialog = PortalDialog(await context.portal(), dialog_id)
    try:
        chat_id = await _chat_id(dialog)
        found = await dialog.search(
            chat_id, query.text, FOUND_AT_ONCE + 1, query.since, query.until, query.before
        )
    except ApiError as error:
        raise await history_refusal(dialog, error) from None
    named = await title(context, dialog)
    page = partial(_found_page, dialog, found, query, named, pop_notices(), context.label)
    return await _render(context, dialog, found, page)


async def _chat_id(dialog: PortalDialog) -> int:
    """Return the number that a search wants; a person's dialog and a workgroup's chat have their own."""
    number = dialog.id.removeprefix("chat")
    return int(number) if number != dialog.id else (await dialog.state()).chat_id


async def _render(context: AppContext, dialog: PortalDialog, history: History, page: Callable[[], T]) -> T:
    """Make a page; in a thread where its texts are so long that it would hold up other callers."""
    length = sum(len(message.text) + sum(map(len, message.files)) for message in history.messages)
    return (
        await context.run_in_thread(dialog.portal.credentials, page) if length > INLINE_CHARACTERS else page()
    )


def _history_page(
    dialog: PortalDialog,
    history: History,
    query: HistoryQuery,
    named: str,
    notices: Sequence[str],
    label: str,
) -> ChatHistory:
    now = history.as_of or datetime.now(UTC)
    wanted = _wanted(history, query)
    rows, cut = _rows(wanted[: query.limit], dialog, now)
    unread = [message.id for message in wanted[: len(rows)] if message.unread]
    earlier = bool(rows) and _has_earlier(history, query, wanted, len(rows))
    return ChatHistory(
        dialog_id=dialog.id,
        title=named or _person(dialog, history),
        shown=len(rows),
        unread_from=min(unread, default=0),
        as_of=now.isoformat(timespec="seconds"),
        notes=[
            *notices,
            _MARKS_NOTHING,
            *_left_out(query, unread, wanted[: query.limit], rows, cut=cut, earlier=earlier),
            *_odd(history),
        ],
        portal=label,
        messages=rows[::-1],
        before=rows[-1].id if earlier else 0,
    )


def _wanted(history: History, query: HistoryQuery) -> list[HistoryMessage]:
    return [message for message in history.messages if message.unread or not query.unread_only]


def _has_earlier(history: History, query: HistoryQuery, wanted: Sequence[HistoryMessage], shown: int) -> bool:
    """Tell whether messages lie before those shown: the portal was asked for one more, up to its limit."""
    full = len(history) > query.limit or len(history) >= MOST_MESSAGES
    return shown < len(wanted) or (full and len(wanted) == len(history.messages))


def _left_out(
    query: HistoryQuery,
    unread: Sequence[int],
    wanted: Sequence[HistoryMessage],
    rows: Sequence[MessageRow],
    *,
    cut: bool,
    earlier: bool,
) -> Iterator[str]:
    if not wanted:
        yield "nothing unread" if query.unread_only else "no messages"
    elif query.unread_only:
        yield "unread only"
    if earlier and len(unread) == len(rows):
        yield "unread begins before these"
    if cut:
        dropped = len(wanted) - len(rows)
        yield "long messages shortened" + (f", {dropped} of this page left to the next" if dropped else "")


def _found_page(
    dialog: PortalDialog, found: History, query: SearchQuery, named: str, notices: Sequence[str], label: str
) -> FoundMessages:
    now = found.as_of or datetime.now(UTC)
    page = found.messages[:FOUND_AT_ONCE]
    wanted = [message for message in page if _holds(message, query.text)]
    rows, cut = _rows(wanted, dialog, now)
    more = len(rows) < len(wanted) or len(found) > FOUND_AT_ONCE
    last = rows[-1].id if len(rows) < len(wanted) else page[-1].id if page else 0
    return FoundMessages(
        dialog_id=dialog.id,
        title=named or _person(dialog, found),
        shown=len(rows),
        searched=_span(query, now),
        as_of=now.isoformat(timespec="seconds"),
        notes=[*notices, *(["long messages shortened"] if cut else []), *_odd(found)],
        portal=label,
        messages=rows,
        next_cursor=last if more else 0,
    )


def _holds(message: HistoryMessage, text: str) -> bool:
    """Tell whether a message holds a text in which SQL would take `%` and `_` for other characters."""
    return not _SQL_WILDCARDS & set(text) or text.casefold() in message.text.casefold()


def _span(query: SearchQuery, now: datetime) -> str:
    """Say which part of the chat was searched, in the zone of `now`."""

    def written(moment: datetime) -> str:
        return moment.astimezone(now.tzinfo).isoformat(timespec="minutes")

    said = [f"from {written(query.since)}"] if query.since else []
    said += [f"until {written(query.until)}"] if query.until else []
    said += [f"before message {query.before}"] if query.before else []
    return " ".join(said) or "the whole chat"


def _rows(
    messages: Sequence[HistoryMessage], dialog: PortalDialog, now: datetime
) -> tuple[list[MessageRow], bool]:
    """Return the rows that fit, and whether a message was cut or left out."""
    me = dialog.portal.credentials.user
    whole = [message_row(message, me, now) for message in messages]
    rows, cut = history_records.fit(whole)
    return rows, cut or any(map(history_records.is_cut, rows, messages))


def _person(dialog: PortalDialog, history: History) -> str:
    """Return the name of the person a dialog is with, where the list does not have it but a message does."""
    rows = (message for message in history.messages if str(message.author_id) == dialog.id and message.author)
    return next((history_records.person(message.author) for message in rows), "")


def _odd(history: History) -> Iterable[str]:
    if history.odd:
        yield f"messages left out as unreadable: {history.odd}"
