"""What the portal says about one chat from inside, under our names; as forgiving as `models`.

Texts and names are as the portal sent them, that is, untrusted and with BB codes.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from . import payloads
from .lenient_json import count, decode, elements, flag, items, moment, take_apart, text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HistoryMessage:
    """A message of a chat's history.

    `author_id` 0 is the system; `mine` says that the user wrote it. `unread` counts from the user's last
    read message on. `files` are names. `call` marks the portal's own report of a call.
    """

    id: int
    text: str = ""
    author_id: int = 0
    author: str = ""
    mine: bool = False
    at: datetime | None = None
    unread: bool = False
    deleted: bool = False
    edited: bool = False
    call: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """A part of a chat's history, newest message first; `odd` counts what could not be understood."""

    messages: list[HistoryMessage]
    odd: int = 0
    as_of: datetime | None = None

    def __len__(self) -> int:
        """Return the number of messages that the portal sent, with the odd ones."""
        return len(self.messages) + self.odd


@dataclass(frozen=True, slots=True)
class DialogState:
    """How a chat stands for the user.

    `unread` counts messages, `first_unread` and `last_read` are message ids (0: none). `muted` is None
    where the user's own number is not known. `title` is empty for a person.
    """

    chat_id: int
    title: str
    unread: int
    first_unread: int
    last_read: int
    last_message: int
    muted: bool | None
    open_line: bool


_histories = msgspec.json.Decoder(payloads.HistoryPayload)
_messages = msgspec.json.Decoder(payloads.HistoryMessagePayload)
_users = msgspec.json.Decoder(payloads.UserPayload)
_files = msgspec.json.Decoder(payloads.FilePayload)
_dialogs = msgspec.json.Decoder(payloads.DialogPayload)
_reads = msgspec.json.Decoder(payloads.ReadPayload | bool)
_NO_PARAMS = payloads.ParamsPayload()
_MOST_FILES = 100


def read_history(result: msgspec.Raw, me: str) -> History:
    """Read a part of a history; `me` is the user's number, or empty. Raises ValueError for anything else."""
    found = take_apart(result, _histories)
    names = {count(user.id): text(user.name) for user in _each(found.users, _users)}
    files = {count(file.id): text(file.name) for file in _each(found.files, _files)}
    read = [_read_message(raw, me, names, files) for raw in items(found.messages)]
    messages = {message.id: message for message in read if message}
    return History([messages[id_] for id_ in sorted(messages, reverse=True)], read.count(None))


def read_dialog(result: msgspec.Raw, me: str) -> DialogState:
    """Read how a chat stands; raises ValueError when the result is no chat."""
    dialog = decode(result, _dialogs)
    chat_id = count(dialog.id)
    if not chat_id:
        raise ValueError("not a chat")
    return DialogState(
        chat_id=chat_id,
        title=text(dialog.name),
        unread=count(dialog.counter),
        first_unread=count(dialog.unread_id),
        last_read=count(dialog.last_id),
        last_message=count(dialog.last_message_id),
        muted=me in map(str, elements(dialog.mute_list)) if me.isdigit() else None,
        open_line=dialog.message_type == "L",
    )


def read_counter(result: msgspec.Raw, _me: str) -> int | None:
    """Read how many messages are unread now; None where the portal said `false`, and did nothing."""
    answer = decode(result, _reads)
    return count(answer.counter) if isinstance(answer, payloads.ReadPayload) else None


def _read_message(
    raw: msgspec.Raw, me: str, names: dict[int, str], files: dict[int, str]
) -> HistoryMessage | None:
    try:
        said = decode(raw, _messages)
    except msgspec.DecodeError:
        return None
    number, author = count(said.id), count(said.author_id)
    if not number:
        return None
    params = said.params if isinstance(said.params, payloads.ParamsPayload) else _NO_PARAMS
    deleted = flag(params.IS_DELETED)
    return HistoryMessage(
        id=number,
        text="" if deleted else text(said.text),
        author_id=author,
        author=names.get(author, ""),
        mine=author > 0 and str(author) == me,
        at=moment(said.date),
        unread=flag(said.unread),
        deleted=deleted,
        edited=flag(params.IS_EDITED),
        call=params.COMPONENT_ID == "CallMessage",
        files=() if deleted else _names(params.FILE_ID, files),
    )


def _names(ids: object, files: dict[int, str]) -> tuple[str, ...]:
    """Name a message's files; one that the answer does not describe is a file without a name."""
    return tuple(files.get(count(one), "") for one in elements(ids)[:_MOST_FILES])


def _each(raw: msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> list[T]:
    """Read the items of a list, or of an object (PHP arrays), that can be understood."""
    read: list[T] = []
    with suppress(msgspec.DecodeError):
        for item in items(raw):
            with suppress(msgspec.DecodeError):
                read.append(decode(item, decoder))
    return read
