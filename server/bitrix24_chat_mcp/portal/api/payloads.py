"""The recent list as the portal sends it: the fields in use, each of any type.

All other fields of an answer are skipped without being decoded.
"""

from typing import Any

import msgspec

# Instead of an object the portal may send `[]` for an empty one, `false` or "" for none (PHP arrays).
Odd = list[Any] | bool | float | str | None


class MessagePayload(msgspec.Struct, gc=False):
    """The last message."""

    id: Any = 0
    text: Any = ""
    author_id: Any = 0
    date: Any = ""
    file: Any = False


class LinkPayload(msgspec.Struct, gc=False):
    """The address of the entity that a chat belongs to."""

    url: Any = ""


class OpenLinePayload(msgspec.Struct, gc=False):
    """The session of an open line."""

    status: Any = None


class ChatPayload(msgspec.Struct, gc=False):
    """A chat; in a person's item only the mute list is filled."""

    type: Any = ""
    message_type: Any = ""
    entity_type: Any = ""
    name: Any = ""
    mute_list: Any = None
    entity_link: LinkPayload | Odd = None
    user_counter: Any = 0
    role: Any = ""
    owner: Any = 0
    date_create: Any = ""


class UserPayload(msgspec.Struct, gc=False):
    """The other person of a dialog, or the last message's author."""

    id: Any = 0
    name: Any = ""
    bot: Any = False
    connector: Any = False
    work_position: Any = ""


class ItemPayload(msgspec.Struct, gc=False):
    """One row of the list."""

    id: Any = ""
    type: Any = ""
    title: Any = ""
    message: MessagePayload | Odd = None
    counter: Any = 0
    pinned: Any = False
    unread: Any = False
    date_last_activity: Any = ""
    date_update: Any = ""
    chat: ChatPayload | Odd = None
    user: UserPayload | Odd = None
    lines: OpenLinePayload | Odd = None


class PagePayload(msgspec.Struct):
    """A page of `im.recent.list`, its items still raw."""

    items: msgspec.Raw


class ParamsPayload(msgspec.Struct, gc=False):
    """What a message carries beside its text."""

    FILE_ID: Any = None
    IS_DELETED: Any = ""
    IS_EDITED: Any = ""
    COMPONENT_ID: Any = ""


class HistoryMessagePayload(msgspec.Struct, gc=False):
    """A message of `im.dialog.messages.get` or `.search`."""

    id: Any = 0
    author_id: Any = 0
    date: Any = ""
    text: Any = ""
    unread: Any = False
    params: ParamsPayload | Odd = None


class FilePayload(msgspec.Struct, gc=False):
    """A file that messages refer to by its id."""

    id: Any = 0
    name: Any = ""


class HistoryPayload(msgspec.Struct):
    """A part of a chat's history; messages, users and files still raw."""

    messages: msgspec.Raw
    users: msgspec.Raw = msgspec.Raw(b"[]")
    files: msgspec.Raw = msgspec.Raw(b"[]")


class DialogPayload(msgspec.Struct):
    """What `im.dialog.get` tells of a chat."""

    id: Any = 0
    name: Any = ""
    counter: Any = 0
    unread_id: Any = 0
    last_id: Any = 0
    last_message_id: Any = 0
    mute_list: Any = None
    message_type: Any = ""


class ReadPayload(msgspec.Struct):
    """What `im.dialog.read` answers where it did something."""

    counter: Any = 0
