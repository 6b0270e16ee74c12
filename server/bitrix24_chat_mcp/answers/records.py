"""The records of an answer, as published in each tool's output schema.

The docstrings of the records are published as well.

Empty and false fields are left out of an answer, so every field has a default except the few that are always
sent. Texts of others pass `sanitize` here and nowhere else.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from bitrix24_chat_mcp.portal.api.models import Chat

from .confusables import distinct, skeleton
from .sanitize import quoted, sanitize

TITLE_LENGTH = 80
NAME_LENGTH = 40
ROLE_LENGTH = 12
LINK_LENGTH = 2000
MINUTES_MATTER = timedelta(days=2)
_PATH = re.compile(r"/(?!/)[\w./%~-]{1,200}", re.ASCII)
_PLAIN_NAME = re.compile(r"[^\W_]+(?:\.\d+)?")

# What the server writes instead of a name: "you" is the user, and no author means the system or the person in
# the title. No name of another person may read like one of these.
YOU, _DELETED, _UNTITLED, _UNNAMED = "you", "(deleted user)", "(untitled)", "(unnamed)"
_OUR_AUTHORS = frozenset(map(skeleton, (YOU, _UNNAMED, "user", "the user", "system", "the system")))
_OUR_TITLES = frozenset(map(skeleton, (_DELETED, _UNTITLED)))

Detail = Literal["brief", "normal", "full"]
Kind = Literal[
    "person",
    "bot",
    "notes",
    "group",
    "open",
    "channel",
    "collab",
    "copilot",
    "task",
    "openline",
    "call",
    "event",
    "crm",
    "mail",
    "other",
]


class Record(BaseModel, frozen=True, extra="forbid"):
    """The base of all records: immutable, and compact when written."""

    def compact(self) -> dict[str, Any]:
        """Return the record as JSON values without what is empty or false."""
        return self.model_dump(mode="json", exclude_defaults=True)


class ChatRow(Record, frozen=True):
    """One chat."""

    dialog_id: str
    title: str
    kind: Kind
    why: str = ""
    unread: int = 0
    pinned: bool = False
    muted: bool = False
    marked_unread: bool = False
    last_text: str = ""
    last_author: str = Field("", description="absent: the person in title, or the system; 'you': the user")
    last_at: str = Field("", description="month-day, and time within 2 days, zone of as_of")
    link: str = ""
    file: bool = False
    position: str = Field("", description="last_author's")
    members: int = 0
    role: str = ""
    owner: str = Field("", description="a user's dialog_id")
    created: str = ""
    last_id: SkipJsonSchema[int] = Field(0, exclude=True)
    """Of the last message: for the page, not for the model, so in no answer's text or structure."""


class ChatList(Record, frozen=True):
    """A page of a chat list."""

    total: int = Field(description="chats the portal returned")
    matching: int | None = Field(None, description="of these, if fewer")
    shown: int
    unread: int = Field(0, description="messages, in total")
    unread_chats: int = 0
    as_of: str
    hidden: dict[str, dict[str, int]] = Field({}, description="by filter and kind")
    notes: list[str] = Field([], description="what is left out")
    portal: str = ""
    chats: list[ChatRow]
    next_cursor: str = ""


class Undo(Record, frozen=True):
    """The arguments of pin_chat that take it back."""

    dialog_id: str
    pin: bool


class PinOutcome(Record, frozen=True):
    """What came of pinning or unpinning."""

    dialog_id: str
    title: str = ""
    pinned: bool
    changed: bool | None = None
    pins: int | None = Field(None, description="pinned chats now")
    undo: Undo | None = None
    notes: list[str] = []
    portal: str = ""


class RenderContext(NamedTuple):
    """What rendering the rows of one page has in common.

    `link_base` is the portal's origin, `now` the portal's time in the zone to write times in, `why` says by
    dialog_id why a chat waits for the user.
    """

    link_base: str
    now: datetime
    detail: Detail
    why: Mapping[str, str]


def row(chat: Chat, context: RenderContext, preview: int) -> ChatRow:
    """Make the record of a chat; `preview` is the most characters of its last message."""
    why = context.why.get(chat.dialog_id, "")
    return _row(chat, context.link_base, context.now, context.now.tzinfo, context.detail, why, preview)


# A list that is requested again within seconds, out of the pipeline's cache, has the same rows. The key holds
# all that a row is made of, so no caller can get a row of another portal or an older one; the zone is in the
# key because Python takes the same moment in two zones for equal.
@lru_cache(maxsize=1000)
def _row(
    chat: Chat, link_base: str, now: datetime, _zone: tzinfo | None, detail: Detail, why: str, preview: int
) -> ChatRow:
    facts: dict[str, Any] = {"why": why, **_brief_facts(chat)}
    if detail != "brief":
        facts |= _last_message(chat, now, preview) | {"link": link(chat.link, link_base)}
    if detail == "full":
        facts |= _full_facts(chat, now)
    return ChatRow(**facts)


def _brief_facts(chat: Chat) -> dict[str, Any]:
    return {
        "dialog_id": chat.dialog_id,
        "title": title(chat),
        "kind": chat.kind,
        "unread": chat.unread,
        "pinned": chat.pinned,
        "muted": chat.muted,
        "marked_unread": chat.marked_unread,
        "last_id": chat.message.id,
    }


def _last_message(chat: Chat, now: datetime, preview: int) -> dict[str, Any]:
    return {
        "last_text": sanitize(chat.message.text, preview) if preview else "",
        "last_author": YOU if chat.mine else _author(chat),
        "last_at": minutes(chat.active_at, now),
    }


def _author(chat: Chat) -> str:
    if not chat.author or sanitize(chat.author, NAME_LENGTH) == title(chat):
        return ""
    return author_name(chat.author)


def author_name(name: str) -> str:
    """Return the name of another author than the user, marked where it reads like one of ours."""
    shown = sanitize(name, NAME_LENGTH)
    return distinct(shown, _OUR_AUTHORS) if shown else _UNNAMED


def shorter(row: ChatRow, preview: int) -> ChatRow:
    """Return the row with at most `preview` characters of its last message."""
    return row.model_copy(update={"last_text": sanitize(row.last_text, preview)})


def _full_facts(chat: Chat, now: datetime) -> dict[str, Any]:
    return {
        "file": chat.message.has_file,
        "position": "" if chat.mine else sanitize(chat.position, NAME_LENGTH),
        "members": chat.members,
        "role": sanitize(chat.role, ROLE_LENGTH),
        "owner": str(chat.owner or ""),
        "created": minutes(chat.created, now),
    }


def title(chat: Chat) -> str:
    """Return a chat's title; for a chat without one a word of the server's, in brackets."""
    return heading(chat.dialog_id, chat.title)


def heading(dialog_id: str, title: str) -> str:
    """Return a dialog's title as shown; for an empty one a word of the server's, in brackets."""
    shown = sanitize(title, TITLE_LENGTH)
    if not shown:
        return _DELETED if dialog_id.isdigit() else _UNTITLED
    return shown if shown[0].isalnum() else distinct(shown, _OUR_TITLES)


def odd_name(name: str) -> str:
    """Return the name of an unreadable item, quoted unless it is a plain word or a position ("no. 60")."""
    shown = sanitize(name, NAME_LENGTH)
    plain = _PLAIN_NAME.fullmatch(shown.removeprefix("no. "))
    return shown if plain else quoted(shown)


def link(address: str, link_base: str) -> str:
    """Return the address of a chat's task, deal or group, or nothing if it is not on the portal itself."""
    path = sanitize(address[:LINK_LENGTH]).removeprefix(link_base)
    path = path.partition("?")[0]  # the query only says which button of the portal was pressed
    return link_base + path if _PATH.fullmatch(path) else ""


def minutes(moment: datetime | None, now: datetime) -> str:
    """Write a moment in the zone of `now`: an old one without minutes, one of this year without the year."""
    if moment is None:
        return ""
    local = moment.astimezone(now.tzinfo)
    if local.year != now.year:
        return f"{local:%Y-%m-%d}"
    return f"{local:%m-%d %H:%M}" if abs(now - local) < MINUTES_MATTER else f"{local:%m-%d}"
