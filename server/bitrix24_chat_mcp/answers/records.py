"""The records of an answer, as published in each tool's output schema.

Empty and false fields are left out of an answer, so every field but the few that are always there has a
default. All texts from outside pass `clean` here and nowhere else.
"""

import re
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bitrix24_chat_mcp.portal.models import Chat

from .clean import clean

TITLE_LENGTH = 80
NAME_LENGTH = 40
_PATH = re.compile(r"/(?!/)[\w./%~-]{1,200}", re.ASCII)

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


class Record(BaseModel):
    """What all records share: they are compact, and nothing changes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def compact(self) -> dict[str, Any]:
        """Return the record as JSON values without what is empty or false."""
        return self.model_dump(mode="json", exclude_defaults=True)


class ChatRow(Record):
    """One chat."""

    dialog_id: str
    title: str
    kind: Kind
    unread: int = 0
    pinned: bool = False
    muted: bool = False
    marked_unread: bool = False
    last_text: str = ""
    last_author: str = Field("", description="absent: the person in title, or the system; 'you': the user")
    last_at: str = Field(
        "", description="month-day hour:minute in the zone of as_of; with its year if another"
    )
    link: str = ""


class ChatList(Record):
    """A page of a chat list."""

    total: int = Field(description="chats in the whole list")
    shown: int
    next_offset: int | None = None
    unread: int = Field(0, description="messages, in the whole list")
    unread_chats: int = 0
    as_of: str
    notes: list[str] = Field([], description="what is left out")
    portal: str = ""
    chats: list[ChatRow]


class PinOutcome(Record):
    """What came of pinning or unpinning."""

    dialog_id: str
    title: str = ""
    pinned: bool
    changed: bool | None = None
    portal: str = ""


def row(chat: Chat, link_base: str, preview: int, year: int) -> ChatRow:
    """Make the record of a chat.

    `link_base` is the portal's origin, `preview` the longest preview in characters, `year` goes without
    saying.
    """
    name = title(chat)
    author = "you" if chat.mine else clean(chat.author, NAME_LENGTH)
    return ChatRow(
        dialog_id=chat.dialog_id,
        title=name,
        kind=chat.kind,  # type: ignore[arg-type]
        unread=chat.unread,
        pinned=chat.pinned,
        muted=chat.muted,
        marked_unread=chat.marked_unread,
        last_text=clean(chat.message.text, preview),
        last_author="" if author == name else author,
        last_at=minutes(chat.active_at, year),
        link=link(chat.link, link_base),
    )


def title(chat: Chat) -> str:
    """Return a chat's title, or one of ours, in brackets, where it has none."""
    nameless = "(deleted user)" if chat.dialog_id.isdigit() else "(untitled)"
    return clean(chat.title, TITLE_LENGTH) or nameless


def link(address: str, link_base: str) -> str:
    """Return where a chat's task, deal or group is: only an address of the portal itself."""
    path = address.removeprefix(link_base) if link_base else address
    path = path.partition("?")[0]  # the query only tells the portal which button was pressed
    return link_base + path if _PATH.fullmatch(path) else ""


def minutes(moment: datetime | None, year: int) -> str:
    """Write a moment to the minute, in the zone it came in."""
    if moment is None:
        return ""
    return f"{moment:%m-%d %H:%M}" if moment.year == year else f"{moment:%Y-%m-%d %H:%M}"
