"""The portal's state: people, chats with their messages, and each user's list of recent chats."""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

from bitrix24_demo_portal.php import Obj

FIRST_CHAT_ID = 1201
_FIRST_MESSAGE_ID = 80001


@dataclass(slots=True)
class Person:
    """An account of a person or a bot."""

    id: int
    first: str
    last: str
    gender: str = "M"
    position: str | None = ""
    kind: str = "user"
    """Bitrix24's word: user, bot, extranet or collaber."""
    active: bool = True
    bot: str = ""
    """The bot's code."""
    avatar: str = ""
    birthday: str = ""
    phones: dict[str, str] = field(default_factory=dict[str, str])
    connector: bool = False
    absent_days: int = 0
    seen_ago: int | None = 300
    """Seconds since the last activity; None if never."""

    @property
    def name(self) -> str:
        """Return the full name, as the portal writes it."""
        return f"{self.first} {self.last}".strip()


@dataclass(slots=True)
class Message:
    """One message; an author of 0 is the system."""

    author: int
    text: str
    date: float
    id: int = 0
    uuid: str | None = None
    file: Obj | None = None
    attach: bool | str = False
    sticker: Obj | None = None
    params: Obj = field(default_factory=dict[str, object])


@dataclass(slots=True)
class Chat:
    """A conversation of any kind; messages are kept oldest first."""

    id: int
    title: str | None
    kind: str = "chat"
    """Bitrix24's `type`: user, chat, open, lines, tasksTask, ..."""
    message_type: str = "C"
    """Bitrix24's `message_type`."""
    owner: int = 0
    members: set[int] = field(default_factory=set[int])
    managers: set[int] = field(default_factory=set[int])
    muted: set[int] = field(default_factory=set[int])
    color: str = "#3e99ce"
    avatar: str = ""
    entity_type: str = ""
    entity_id: str = ""
    entity_data: tuple[str, str, str] = ("", "", "")
    created: float = 0.0
    parent: int = 0
    background: str | None = None
    collaber: bool = False
    line_status: int = 40
    messages: list[Message] = field(default_factory=list[Message])
    complete: bool = True
    """Whether `messages` reaches back to the first one; else World.history adds what is missing."""
    read: dict[int, int] = field(default_factory=dict[int, int])
    """The last message that a user has read, by user."""

    @property
    def last(self) -> Message | None:
        """Return the newest message."""
        return self.messages[-1] if self.messages else None

    def unread_by(self, user: int) -> list[Message]:
        """Return others' messages after the last one that the user has read."""
        seen = self.read.get(user, 0)
        later = self.messages[bisect_right(self.messages, seen, key=attrgetter("id")) :]
        return [message for message in later if message.author != user]


@dataclass(slots=True)
class Row:
    """A chat in one user's recent list."""

    chat: Chat
    updated: float
    activity: float
    pinned: bool = False
    place: int = 0
    """Position among the pinned, 1 on top."""
    marked: bool = False
    """Marked unread by hand."""
    joined: bool = False
    """The row tells that this user joined the portal."""


@dataclass(slots=True)
class World:
    """Everything that the methods read and change."""

    people: dict[int, Person] = field(default_factory=dict[int, Person])
    chats: dict[int, Chat] = field(default_factory=dict[int, Chat])
    rows: dict[int, dict[int, Row]] = field(default_factory=dict[int, dict[int, Row]])
    """Recent rows by user, then by chat id."""
    queues: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    """Open-line chats that wait for an answer, by operator."""
    overrides: dict[int, list[object]] = field(default_factory=dict[int, list[object]])
    """Raw items that replace a user's whole recent list."""
    earlier: Callable[[Chat], list[Message]] | None = None
    """Makes the messages before those of a chat that is not complete."""
    next_chat: int = FIRST_CHAT_ID
    next_message: int = _FIRST_MESSAGE_ID

    def add_chat(self, title: str | None, kind: str, message_type: str, members: set[int]) -> Chat:
        """Add a chat without messages and rows; ids are odd, with gaps."""
        chat = Chat(self.next_chat, title, kind, message_type, members=members)
        self.next_chat += 2
        self.chats[chat.id] = chat
        return chat

    def say(self, chat: Chat, message: Message, *, to: set[int] | None = None) -> Message:
        """Add a message, and move the chat in every member's list."""
        message.id = self.next_message
        self.next_message += 2
        chat.messages.append(message)
        if message.author:
            chat.read[message.author] = message.id
        for user in chat.members if to is None else to:
            row = self.row(user, chat, message.date)
            row.updated = row.activity = message.date
        return message

    def history(self, chat: Chat) -> list[Message]:
        """Return all messages of a chat, oldest first; the earlier ones are made when first asked for."""
        if not chat.complete and self.earlier:
            chat.messages[:0] = self.earlier(chat)
            chat.complete = True
        return chat.messages

    def row(self, user: int, chat: Chat, now: float) -> Row:
        """Return the user's row of a chat; make it when there is none."""
        rows = self.rows.setdefault(user, {})
        if chat.id not in rows:
            rows[chat.id] = Row(chat, now, chat.last.date if chat.last else now)
        return rows[chat.id]

    def recent(self, user: int) -> list[Row]:
        """List the user's rows, in no order; comment threads never are listed."""
        return [row for row in self.rows.get(user, {}).values() if not row.chat.parent]

    def pins(self, user: int) -> list[Row]:
        """List the user's pinned rows, top first."""
        return sorted((row for row in self.recent(user) if row.pinned), key=lambda row: row.place)

    def pin(self, user: int, row: Row, now: float) -> None:
        """Put a row on top of the pinned; the others shift down."""
        for other in self.pins(user):
            other.place += 1
        row.pinned, row.place, row.updated = True, 1, now

    def private(self, user: int, other: int) -> Chat | None:
        """Find the dialog of two users; a user's own notes when both are the same."""
        dialogs = (chat for chat in self.chats.values() if chat.message_type == "P")
        return next((chat for chat in dialogs if chat.members == {user, other}), None)

    def open_private(self, user: int, other: int, now: float) -> Chat:
        """Return the dialog of two users; make it when they have none."""
        chat = self.private(user, other)
        if chat is None:
            chat = self.add_chat("", "user", "P", {user, other})
            chat.created = now
        return chat

    def group(self, number: int) -> Chat | None:
        """Find the chat of a workgroup, `sgN`."""
        found = (chat for chat in self.chats.values() if chat.entity_type == "SONET_GROUP")
        return next((chat for chat in found if chat.entity_id == str(number)), None)

    def find(self, user: int, dialog_id: str) -> Chat | None:
        """Find the chat behind a dialog id, whether or not the user may see it."""
        kind, number = split(dialog_id)
        if kind == "":
            return self.private(user, number)
        if kind == "sg":
            return self.group(number)
        return self.chats.get(number) if kind == "chat" else None


def partner(chat: Chat, user: int) -> int:
    """Return the other user of a dialog of two; in their own notes, the user."""
    return next((member for member in chat.members if member != user), user)


def dialog_id(chat: Chat, user: int) -> int | str:
    """Return a chat's id in the lists: an integer for a dialog of two, else `chatN`."""
    return partner(chat, user) if chat.message_type == "P" else f"chat{chat.id}"


_DIALOG_ID = re.compile(r"(chat|sg|crm)?0*([1-9]\d*)", re.IGNORECASE | re.ASCII)


def is_dialog_id(value: object) -> bool:
    """Tell whether a value is digits, or `chat`, `sg` or `crm` (in any case) and digits; 0 is not."""
    valid = isinstance(value, str | int) and not isinstance(value, bool)
    return valid and _DIALOG_ID.fullmatch(str(value)) is not None


def split(value: str) -> tuple[str, int]:
    """Split a valid dialog id into its kind ("" for a user) and its number."""
    found = _DIALOG_ID.fullmatch(value)
    return ((found[1] or "").lower(), int(found[2])) if found else ("notify", 0)
