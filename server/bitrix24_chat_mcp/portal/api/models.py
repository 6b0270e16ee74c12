"""Chats, read out of the portal's answers.

A value of an unexpected type counts as absent, and an item that is no chat is listed by its name alone: one
odd item never costs the others. Texts are as the portal sent them, untrusted; `answers` sanitizes them.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from . import payloads
from .errors import ApiError
from .lenient_json import count, decode, flag, items, moment, number, take_apart, text, whole


@dataclass(frozen=True, slots=True)
class Message:
    """The last message of a chat. `author_id` 0 is the system; `has_file`: it has attachments."""

    id: int = 0
    text: str = ""
    author_id: int = 0
    at: datetime | None = None
    has_file: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """A row of a user's chat list.

    `dialog_id` is `chatN`, or a user's number as text. `author` wrote the last message, `mine` if that
    was the user; both are empty for the system. `client_waits`: an open line whose client has had no
    answer. `link` leads to the task, deal or group the chat belongs to and may lack the portal's
    address. `members`, `role`, `owner` (a user's number), `created` and `position` (the author's) are
    empty where the portal does not send them, as for people.
    """

    dialog_id: str
    title: str
    kind: str
    message: Message = field(default_factory=Message)
    author: str = ""
    mine: bool = False
    unread: int = 0
    pinned: bool = False
    muted: bool = False
    marked_unread: bool = False
    client_waits: bool = False
    link: str = ""
    active_at: datetime | None = None
    members: int = 0
    role: str = ""
    owner: int = 0
    created: datetime | None = None
    position: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A chat list as the portal returned it; `odd` names the items that could not be read.

    The names are the portal's, untrusted, or positions in the list, "no. 7".
    """

    chats: list[Chat]
    odd: list[str]
    as_of: datetime | None = None
    age: float = 0.0
    """Seconds since the portal sent it."""

    def __len__(self) -> int:
        """Return the number of rows, with the odd ones."""
        return len(self.chats) + len(self.odd)


_pages = msgspec.json.Decoder(payloads.PagePayload)
_items = msgspec.json.Decoder(payloads.ItemPayload)

# chat.type, as TypeRegistry.php spells it; a type beyond these is `other`.
_KINDS = {
    "announcement": "group",
    "calendar": "event",
    "call": "call",
    "channel": "channel",
    "chat": "group",
    "collab": "collab",
    "copilot": "copilot",
    "crm": "crm",
    "general": "open",
    "generalChannel": "channel",
    "lines": "openline",
    "livechat": "openline",
    "mail": "mail",
    "open": "open",
    "openChannel": "channel",
    "sonetGroup": "group",
    "tasks": "task",
    "tasksTask": "task",
    "videoconf": "call",
}
# message_type, for a chat that does not tell its type.
_KINDS_BY_LETTER = {
    "A": "copilot",
    "B": "collab",
    "C": "group",
    "J": "channel",
    "L": "openline",
    "N": "channel",
    "O": "open",
}
# Statuses of an open line's session (imopenlines): new, skipped, the client's turn, the client's again.
_CLIENT_WAITS = {0, 5, 20, 25}
_DIALOG_ID = re.compile(r"(?:chat|sg|crm)?[1-9][0-9]{0,11}")
_NAME = re.compile(r"[\w|.:-]{1,24}", re.ASCII)
_NO_MESSAGE, _NO_CHAT, _NO_USER = payloads.MessagePayload(), payloads.ChatPayload(), payloads.UserPayload()


def read_page(result: msgspec.Raw, me: str) -> Listing:
    """Read the chats out of an `im.recent.list` result; see `read_listing`."""
    return read_listing(take_apart(result, _pages).items, me)


def read_listing(result: msgspec.Raw, me: str) -> Listing:
    """Read the chats out of an `im.recent.get` result; `me` is the user's number, or empty.

    Raises ValueError when the result is no list, and ApiError for `false`, which the portal answers where it
    knows no user of these credentials. A chat that comes twice (an open line that waits in
    the queue and stands in the list) is listed once.
    """
    if bytes(memoryview(result)[:5]) == b"false":
        raise ApiError("AUTHORIZATION_ERROR")
    rows = items(result)
    chats: dict[str, Chat] = {}
    odd: list[str] = []
    for place, row in enumerate(rows, 1):
        item = _read_item(row)
        chat = item and _read_chat(item, me)
        if chat:
            chats.setdefault(chat.dialog_id, chat)
        else:
            odd.append(_name(item) or f"no. {place}")
    return Listing(list(chats.values()), odd)


def _read_item(row: msgspec.Raw) -> payloads.ItemPayload | None:
    try:
        return decode(row, _items)
    except msgspec.DecodeError:
        return None


def _name(item: payloads.ItemPayload | None) -> str:
    """Return the id of an item that is no chat, where it may be shown."""
    name = str(item.id) if item and isinstance(item.id, str | int | float) else ""
    return name if _NAME.fullmatch(name) and not isinstance(item and item.id, bool) else ""


def _read_chat(item: payloads.ItemPayload, me: str) -> Chat | None:
    dialog_id = _dialog_id(item.id)
    if not dialog_id:
        return None
    chat = item.chat if isinstance(item.chat, payloads.ChatPayload) else _NO_CHAT
    user = item.user if isinstance(item.user, payloads.UserPayload) else _NO_USER
    message = _read_message(item)
    direct = dialog_id.isdigit()
    author = str(message.author_id or "")
    mine = author != "" and (author == me or (direct and author != dialog_id))
    link = chat.entity_link.url if isinstance(chat.entity_link, payloads.LinkPayload) else ""
    return Chat(
        dialog_id=dialog_id,
        title=text(item.title) or text(chat.name) or (text(user.name) if direct else ""),
        kind=_direct_kind(user, dialog_id == me) if direct else _chat_kind(chat),
        message=message,
        author=text(user.name) if author and message.author_id == count(user.id) else "",
        mine=mine,
        unread=count(item.counter),
        pinned=flag(item.pinned),
        muted=bool(chat.mute_list) and isinstance(chat.mute_list, dict | list),
        marked_unread=flag(item.unread),
        client_waits=_client_waits(item, user, chat),
        link=text(link),
        active_at=message.at or moment(item.date_last_activity) or moment(item.date_update),
        members=count(chat.user_counter),
        role=text(chat.role).lower(),
        owner=count(chat.owner),
        created=moment(chat.date_create),
        position=text(user.work_position),
    )


def _read_message(item: payloads.ItemPayload) -> Message:
    said = item.message if isinstance(item.message, payloads.MessagePayload) else _NO_MESSAGE
    return Message(
        id=count(said.id),
        text=text(said.text),
        author_id=count(said.author_id),
        at=moment(said.date),
        has_file=bool(said.file),
    )


def _client_waits(item: payloads.ItemPayload, user: payloads.UserPayload, chat: payloads.ChatPayload) -> bool:
    """Return whether an open line's client has had no answer, by its session or else the last author."""
    if _chat_kind(chat) != "openline":
        return False
    status = number(item.lines.status) if isinstance(item.lines, payloads.OpenLinePayload) else None
    if status is not None:
        return status in _CLIENT_WAITS
    return flag(user.connector) or (not user.id and count(item.counter) > 0)


def _direct_kind(user: payloads.UserPayload, notes: bool) -> str:  # noqa: FBT001
    if notes:
        return "notes"
    return "bot" if flag(user.bot) else "person"


def _chat_kind(chat: payloads.ChatPayload) -> str:
    if text(chat.type):
        return _KINDS.get(chat.type, "other")
    if chat.entity_type == "TASKS_TASK":
        return "task"
    return _KINDS_BY_LETTER.get(text(chat.message_type), "other")


def _dialog_id(value: object) -> str:
    """Return the id as text: the portal sends a number for a person, `chatN` for anything else."""
    value = whole(value)
    text = str(value).lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _DIALOG_ID.fullmatch(text) else ""
