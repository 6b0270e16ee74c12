"""The records of a chat's messages, as published in the output schemas of the tools that read them.

All texts from outside pass `sanitize` here and nowhere else; a message's BB codes are read before.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from pydantic import Field

from bitrix24_chat_mcp.portal.api.history import HistoryMessage

from . import bb_code, token_budget
from .records import TITLE_LENGTH, YOU, Record, author_name
from .sanitize import sanitize

LONGEST_TEXT, LONGEST_QUOTE, LONGEST_FILE = 1500, 160, 60
"""Characters."""
MOST_FILES = 5
SHORTER_TEXTS = (600, 240, 100, 40)
"""Characters of each message, where a page has to be made shorter to fit."""
_A_ROW, _A_FACT = 24, 6
"""Tokens for id and time with what is around them; for the name of another field."""


class MessageRow(Record, frozen=True):
    """One message."""

    id: int
    author: str = Field("", description="absent: the system; 'you': the user")
    at: str = Field("", description="time, with month-day unless that of as_of; zone of as_of")
    text: str = ""
    quote: str = Field("", description="others' words that it answers")
    files: list[str] = Field(default=[])
    more_files: int = 0
    mentions_you: bool = False
    call: bool = False
    edited: bool = False
    deleted: bool = False


class ChatHistory(Record, frozen=True):
    """A page of a chat's messages, oldest first."""

    dialog_id: str
    title: str = ""
    shown: int
    unread_from: int = Field(0, description="id of the first unread message shown; all after it are unread")
    as_of: str
    notes: list[str] = Field([], description="what is left out")
    portal: str = ""
    messages: list[MessageRow]
    before: int = Field(0, description="for the page before this one; absent: there is none")


class FoundMessages(Record, frozen=True):
    """Messages of a chat that hold the words searched for, newest first."""

    dialog_id: str
    title: str = ""
    shown: int
    searched: str = Field(description="the span of time")
    as_of: str
    notes: list[str] = Field([], description="what is left out")
    portal: str = ""
    messages: list[MessageRow]
    next_cursor: int = 0


def message_row(message: HistoryMessage, me: str, now: datetime) -> MessageRow:
    """Make the record of a message; `me` is the user's number, or empty."""
    said = bb_code.plain(message.text, me)
    files = [sanitize(name, LONGEST_FILE) or "(unnamed)" for name in message.files[:MOST_FILES]]
    return MessageRow(
        id=message.id,
        author=_author(message),
        at=_at(message.at, now),
        text=sanitize(said.text, LONGEST_TEXT),
        quote=sanitize(said.quote, LONGEST_QUOTE),
        files=files,
        more_files=len(message.files) - len(files),
        mentions_you=said.mentions_user,
        call=message.call,
        edited=message.edited,
        deleted=message.deleted,
    )


def is_cut(row: MessageRow, message: HistoryMessage) -> bool:
    """Tell whether a row's text is only the beginning of the message's."""
    return len(message.text) > LONGEST_TEXT and row.text.endswith("…")


def _author(message: HistoryMessage) -> str:
    if message.mine:
        return YOU
    return author_name(message.author) if message.author_id else ""


def person(name: str) -> str:
    """Return the name of a person as the title of their chat."""
    return sanitize(name, TITLE_LENGTH)


def _at(moment: datetime | None, now: datetime) -> str:
    """Write a moment in the zone of `now`, without the day or the year that `now` has."""
    if moment is None:
        return ""
    local = moment.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d %H:%M}"


def fit(rows: Sequence[MessageRow]) -> tuple[list[MessageRow], bool]:
    """Return as many of the first rows as an answer may hold, and whether any was cut or left out."""
    return token_budget.fit_any(list(rows), 0, SHORTER_TEXTS, _shorter, _cost)


def _shorter(row: MessageRow, length: int) -> MessageRow:
    return row.model_copy(update={"text": sanitize(row.text, length), "quote": sanitize(row.quote, length)})


@lru_cache(maxsize=1000)
def _written_cost(text: str) -> int:
    return token_budget.tokens(text) + text.count('"') + text.count("\\")


def _cost(row: MessageRow) -> int:
    """Return how many tokens a message costs at most, in either form."""
    texts = [row.author, row.text, row.quote, *row.files]
    facts = len(row.compact()) + len(row.files)
    return _A_ROW + _A_FACT * facts + sum(map(_written_cost, texts))
