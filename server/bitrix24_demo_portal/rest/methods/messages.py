"""im.dialog.messages.get and im.dialog.messages.search: a chat's history. Neither marks anything as read."""

import re
from collections.abc import Callable, Iterable
from typing import cast

from bitrix24_demo_portal.data.files import read_json
from bitrix24_demo_portal.data.world import Chat, Message
from bitrix24_demo_portal.php import Obj, integer, string
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError
from bitrix24_demo_portal.rest.plain_text import MARKERS
from bitrix24_demo_portal.rest.users import full_user

from .dialogs import accessible

_DEFAULT, _MOST = 20, 50
_SEARCH_DEFAULT, _SEARCH_MOST = 50, 200
_SHORTEST_SEARCH = 3
_DAY = 86400


def get(call: MethodCall) -> Obj:
    """List messages with their authors and files; open lines are refused (b24restdocs#21)."""
    number = integer(call.param("CHAT_ID"))
    chat = accessible(call, f"chat{number}" if number > 0 else call.dialog_id(notify=False))
    if chat.message_type == "L":
        raise RestError("ACCESS_ERROR", "You do not have access to the specified dialog", 403)
    return {"chat_id": chat.id} | _with_people_and_files(call, chat, _page(call, chat), _message)


def _page(call: MethodCall, chat: Chat) -> list[Message]:
    """Choose as Bitrix24's im/lib/chat.php does.

    FIRST_ID wins over LAST_ID, and gives the oldest first. Without either, unread messages come on top of
    LIMIT, unless there are more of them than that: then the page is the LIMIT after the last read message
    and LIMIT older ones, so that the newest are missing. LAST_ID=0 gives the newest in any case.
    """
    limit = call.limit(_DEFAULT, _MOST)
    first = _message_id(call, "FIRST_ID")
    last = _message_id(call, "LAST_ID") if first is None else None
    unread, history = len(chat.unread_by(call.user)), call.world.history(chat)
    if first is not None:
        return _cut([message for message in history if message.id > first], limit)
    if last is None and unread > limit:
        seen = chat.read.get(call.user, 0)
        later = [message for message in history if message.id > seen]
        earlier = [message for message in reversed(history) if message.id <= seen]
        return _cut(later, limit)[::-1] + _cut(earlier, limit)
    older = [message for message in reversed(history) if not last or message.id < last]
    return _cut(older, limit + unread if last is None else limit)


def _cut(messages: list[Message], limit: int) -> list[Message]:
    """Apply a limit; 0 and less is none."""
    return messages[:limit] if limit > 0 else messages


def _message_id(call: MethodCall, name: str) -> int | None:
    value = call.param(name)
    if value is None:
        return None
    if not re.fullmatch(r"\d+", string(value)):
        raise RestError(f"{name}_STRING")
    return integer(value)


def search(call: MethodCall) -> Obj:
    """Search one chat by a part of the text and by dates; ids descending unless ORDER says otherwise.

    SEARCH_MESSAGE goes into SQL's LIKE as it is, and is ignored when shorter than three characters.
    """
    chat = _searchable_chat(call)
    limit = call.limit(_SEARCH_DEFAULT, _SEARCH_MOST)
    order = call.param("ORDER")
    ascending = isinstance(order, dict) and cast("Obj", order).get("ID") == "ASC"
    fits = _filter(call, ascending=ascending)
    found = [message for message in call.world.history(chat) if fits(message)]
    shown = (found if ascending else found[::-1])[: limit if limit > 0 else _SEARCH_DEFAULT]
    nothing: Obj = {"reminders": [], "additionalMessages": [], "reactions": []}
    return _with_people_and_files(call, chat, shown, _found_message) | nothing


def _searchable_chat(call: MethodCall) -> Chat:
    if call.param("CHAT_ID") is None:
        raise RestError("CHAT_ID_EMPTY", "CHAT_ID can`t be empty")
    chat = call.world.chats.get(integer(call.param("CHAT_ID")))
    if chat is None or call.user not in chat.members:
        raise RestError("ACCESS_ERROR", "You do not have access to this chat", 403)
    return chat


def _filter(call: MethodCall, *, ascending: bool) -> Callable[[Message], bool]:
    since, until, day = _date(call, "DATE_FROM"), _date(call, "DATE_TO"), _date(call, "DATE")
    if day is not None:
        since, until = day, day + _DAY
    last = None if call.param("LAST_ID") is None else integer(call.param("LAST_ID"))
    pattern = _like(string(call.param("SEARCH_MESSAGE")))

    def fits(message: Message) -> bool:
        return (
            (since is None or message.date >= since)
            and (until is None or message.date <= until)
            and (last is None or (message.id > last if ascending else message.id < last))
            and pattern.search(message.text) is not None
        )

    return fits


def _date(call: MethodCall, name: str) -> float | None:
    date = call.date(name)
    if date is None and string(call.param(name)):
        raise RestError("ERROR_CORE", "Incorrect date/time", 400)
    return date


def _like(text: str) -> re.Pattern[str]:
    """Translate a part of a text in which `%` and `_` are SQL's wildcards."""
    escaped = re.escape(text if len(text) >= _SHORTEST_SEARCH else "")
    return re.compile(escaped.replace("%", ".*").replace("_", "."), re.IGNORECASE | re.DOTALL)


def _with_people_and_files(
    call: MethodCall,
    chat: Chat,
    messages: list[Message],
    describe: Callable[[MethodCall, Chat, Message], Obj],
) -> Obj:
    authors = sorted({message.author for message in messages} & call.world.people.keys())
    return {
        "messages": [describe(call, chat, message) for message in messages],
        "users": [full_user(call.viewer, call.world.people[author]) for author in authors],
        "files": list(_files(call, chat, messages)),
    }


def _message(call: MethodCall, chat: Chat, message: Message) -> Obj:
    """Describe a message with its BB codes; an empty one without a file counts as deleted."""
    params: Obj = message.params | ({"FILE_ID": [message.file["id"]]} if message.file else {})
    deleted = not (message.text or message.file or message.attach)
    return {
        "id": message.id,
        "chat_id": chat.id,
        "author_id": message.author,
        "date": call.viewer.date(message.date),
        "text": MARKERS[call.options.language]["deleted"] if deleted else message.text,
        "unread": message.id > chat.read.get(call.user, 0),
        "uuid": message.uuid,
        "replaces": [],
        "params": (params | {"IS_DELETED": "Y"} if deleted else params) or [],
        "disappearing_date": None,
    }


def _found_message(call: MethodCall, chat: Chat, message: Message) -> Obj:
    """Describe a message as the search does, which is of a newer build (im/lib/V2/Message.php)."""
    common = _message(call, chat, message)
    common.pop("disappearing_date")
    return common | {
        "isSystem": not message.author,
        "forward": None,
        "viewed": not common["unread"],
        "viewedByOthers": any(seen >= message.id for user, seen in chat.read.items() if user != call.user),
    }


def _files(call: MethodCall, chat: Chat, messages: list[Message]) -> Iterable[Obj]:
    address = f"https://{call.options.domain}/bitrix/services/main/ajax.php?action=disk.api.file"
    for message in messages:
        if message.file:
            yield _file(call, chat, message, message.file, address)


def _file(call: MethodCall, chat: Chat, message: Message, file: Obj, address: str) -> Obj:
    name = str(file["name"])
    author = call.world.people.get(message.author)
    download = f"{address}.download&fileId={file['id']}"
    return read_json("templates")["file"] | {
        "id": file["id"],
        "chatId": chat.id,
        "date": call.viewer.date(message.date),
        "type": file["type"],
        "name": name,
        "extension": name.rpartition(".")[2],
        "image": {"height": 61, "width": 72} if file["type"] == "image" else False,
        "authorId": message.author,
        "authorName": author.name if author else "",
        "urlPreview": f"{download}&fileName={name}",
        "urlShow": f"{address}.showImage&fileId={file['id']}&fileName={name}",
        "urlDownload": f"{download}&fileName={name}",
        "viewerAttrs": {
            "viewer": "",
            "viewerType": file["type"],
            "src": download,
            "viewerResized": "",
            "objectId": str(file["id"]),
            "viewerGroupBy": str(chat.id),
            "imChatId": chat.id,
            "title": name,
            "actions": '[{"type":"download"}]',
        },
        "mediaUrl": {"preview": {"250": download}},
    }
