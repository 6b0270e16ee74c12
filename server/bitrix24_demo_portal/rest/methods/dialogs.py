"""im.dialog.get, im.dialog.messages.get, im.dialog.read and im.dialog.read.all."""

import re

from bitrix24_demo_portal.data.world import Chat, Message, split
from bitrix24_demo_portal.php import Obj, integer, string
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError
from bitrix24_demo_portal.rest.serializers import chat_core, role
from bitrix24_demo_portal.rest.users import person

_DEFAULT, _MOST = 20, 50


def _accessible(call: MethodCall, dialog: str, text: str) -> Chat:
    chat = call.world.find(call.user, dialog)
    if chat is None and split(dialog)[0] == "" and split(dialog)[1] in call.world.people:
        chat = call.world.open_private(call.user, split(dialog)[1], call.now)
    if chat is None or call.user not in chat.members:
        raise RestError("ACCESS_ERROR", text, 403)
    return chat


def get(call: MethodCall) -> Obj:
    """One chat in full; `dialog_id` echoes what was asked for."""
    dialog = call.dialog_id(notify=False)
    chat = _accessible(call, dialog, "You do not have access to the specified dialog")
    others = [call.world.people[member] for member in sorted(chat.members) if member in call.world.people]
    special: Obj = {
        "readed_list": [_read_by(call, chat, who.id, who.name) for who in others if who.id != call.user],
        "manager_list": sorted(chat.managers),
        "last_message_views": {
            "message_id": chat.last.id if chat.last else 0,
            "first_viewers": [],
            "count_of_viewers": 0,
        },
        "dialog_id": dialog,
    }
    return long_chat(call, chat) | special


def _read_by(call: MethodCall, chat: Chat, user: int, name: str) -> Obj:
    seen = chat.read.get(user, 0)
    date = next((call.view.date(message.date) for message in chat.messages if message.id == seen), None)
    return {"user_id": user, "user_name": name, "message_id": seen, "date": date}


def long_chat(call: MethodCall, chat: Chat) -> Obj:
    """Describe a chat as im.dialog.get and the search do: a lower-case role, and a list of who muted it."""
    last = chat.last.id if chat.last else 0
    unread = chat.unread_by(call.user)
    return chat_core(call.view, chat) | {
        "description": None if chat.entity_type else "",
        "counter": len(unread),
        "message_count": len(chat.messages),
        "unread_id": unread[0].id if unread else 0,
        "last_message_id": last,
        "last_id": chat.read.get(call.user, 0),
        "marked_id": 0,
        "disk_folder_id": 0,
        "mute_list": sorted(chat.muted),
        "role": role(call.view, chat).lower(),
        "is_new": False,
    }


def messages(call: MethodCall) -> Obj:
    """List a chat's messages; a LIMIT of 0 or less has no limit, and unread messages come on top of one."""
    number = integer(call.param("CHAT_ID"))
    dialog = f"chat{number}" if number > 0 else call.dialog_id(notify=False)
    chat = _accessible(call, dialog, "You do not have access to the specified dialog")
    shown = _slice(call, chat)
    authors = sorted({message.author for message in shown} & call.world.people.keys())
    return {
        "chat_id": chat.id,
        "messages": [_message(call, chat, message) for message in shown],
        "users": [person(call.view, call.world.people[author]) for author in authors],
        "files": [_file(call, chat, message) for message in shown if message.file],
    }


def _slice(call: MethodCall, chat: Chat) -> list[Message]:
    limit = call.limit(_DEFAULT, _MOST)
    first, last = _message_id(call, "FIRST_ID"), _message_id(call, "LAST_ID")
    if first is not None:
        newer = [message for message in chat.messages if message.id > first]
        return newer[:limit] if limit > 0 else newer
    if last is not None:
        older = [message for message in reversed(chat.messages) if message.id < last]
        return older[:limit] if limit > 0 else older
    if limit <= 0:
        return chat.messages[::-1]
    return chat.messages[::-1][: limit + len(chat.unread_by(call.user))]


def _message_id(call: MethodCall, name: str) -> int | None:
    value = call.param(name)
    if value is None:
        return None
    if not re.fullmatch(r"\d+", string(value)):
        raise RestError(f"{name}_STRING")
    return integer(value)


def _message(call: MethodCall, chat: Chat, message: Message) -> Obj:
    return {
        "id": message.id,
        "chat_id": chat.id,
        "author_id": message.author,
        "date": call.view.date(message.date),
        "text": message.text,
        "unread": message in chat.unread_by(call.user),
        "uuid": message.uuid,
        "replaces": [],
        "params": _params(message) or [],
        "disappearing_date": None,
    }


def _params(message: Message) -> Obj:
    file: Obj = {"FILE_ID": [message.file["id"]]} if message.file else {}
    return message.params | file


def _file(call: MethodCall, chat: Chat, message: Message) -> Obj:
    file = message.file or {}
    name = str(file["name"])
    author = call.world.people.get(message.author)
    address = f"https://{call.options.domain}/bitrix/services/main/ajax.php?action=disk.api.file"
    return {
        "id": file["id"],
        "chatId": chat.id,
        "date": call.view.date(message.date),
        "type": file["type"],
        "name": name,
        "extension": name.rpartition(".")[2],
        "size": 2144,
        "image": {"height": 61, "width": 72} if file["type"] == "image" else False,
        "status": "done",
        "progress": 100,
        "authorId": message.author,
        "authorName": author.name if author else "",
        "urlPreview": f"{address}.download&fileId={file['id']}&fileName={name}",
        "urlShow": f"{address}.showImage&fileId={file['id']}&fileName={name}",
        "urlDownload": f"{address}.download&fileId={file['id']}&fileName={name}",
        "viewerAttrs": {
            "viewer": "",
            "viewerType": file["type"],
            "src": f"{address}.download&fileId={file['id']}",
            "viewerResized": "",
            "objectId": str(file["id"]),
            "viewerGroupBy": str(chat.id),
            "imChatId": chat.id,
            "title": name,
            "actions": '[{"type":"download"}]',
        },
        "mediaUrl": {"preview": {"250": f"{address}.download&fileId={file['id']}"}},
        "isTranscribable": False,
        "isVideoNote": False,
        "isVoiceNote": False,
    }


def read(call: MethodCall) -> object:
    """Read up to MESSAGE_ID (or LAST_ID), or all; `false` for what is no chat of the caller's."""
    dialog = call.dialog_id()
    chat = call.world.find(call.user, dialog)
    if chat is None or call.user not in chat.members:
        return False
    upto = integer(call.param("LAST_ID", "MESSAGE_ID"))
    newest = chat.last.id if chat.last else 0
    chat.read[call.user] = max(chat.read.get(call.user, 0), min(upto, newest) if upto > 0 else newest)
    row = call.world.rows.get(call.user, {}).get(chat.id)
    if row:
        row.marked, row.updated = False, call.now
    left = len(chat.unread_by(call.user))
    return {"dialogId": dialog, "chatId": chat.id, "lastId": chat.read[call.user], "counter": left}


def read_all(call: MethodCall) -> bool:
    """Clear all counters and marks; only rows that were marked by hand move their `date_update`."""
    for row in call.world.rows.get(call.user, {}).values():
        if row.chat.last:
            row.chat.read[call.user] = row.chat.last.id
        if row.marked:
            row.marked, row.updated = False, call.now
    return True
