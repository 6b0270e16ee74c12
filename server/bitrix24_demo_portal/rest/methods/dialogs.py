"""im.dialog.get."""

from bitrix24_demo_portal.data.world import Chat, Person, split
from bitrix24_demo_portal.php import Obj
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError
from bitrix24_demo_portal.rest.serializers import chat_core, role


def accessible(call: MethodCall, dialog: str) -> Chat:
    """Find the chat behind a dialog id, or raise ACCESS_ERROR; a colleague's id opens a dialog."""
    kind, number = split(dialog)
    chat = call.world.find(call.user, dialog)
    if chat is None and kind == "" and number in call.world.people:
        chat = call.world.open_private(call.user, number, call.now)
    if chat is None or call.user not in chat.members:
        raise RestError("ACCESS_ERROR", "You do not have access to the specified dialog", 403)
    return chat


def get(call: MethodCall) -> Obj:
    """Describe one chat; `dialog_id` is the one that the caller sent."""
    dialog = call.dialog_id(notify=False)
    chat = accessible(call, dialog)
    others = [call.world.people[member] for member in sorted(chat.members) if member in call.world.people]
    special: Obj = {
        "readed_list": [_read_by(call, chat, other) for other in others if other.id != call.user],
        "manager_list": sorted(chat.managers),
        "last_message_views": {
            "message_id": chat.last.id if chat.last else 0,
            "first_viewers": [],
            "count_of_viewers": 0,
        },
        "dialog_id": dialog,
    }
    return long_chat(call, chat) | special


def _read_by(call: MethodCall, chat: Chat, other: Person) -> Obj:
    seen = chat.read.get(other.id, 0)
    date = next((call.viewer.date(message.date) for message in chat.messages if message.id == seen), None)
    return {"user_id": other.id, "user_name": other.name, "message_id": seen, "date": date}


def long_chat(call: MethodCall, chat: Chat) -> Obj:
    """Describe a chat as im.dialog.get and the search do: `role` is lower case, `mute_list` a list of ids."""
    last = chat.last.id if chat.last else 0
    unread = chat.unread_by(call.user)
    return chat_core(call.viewer, chat) | {
        "description": None if chat.entity_type else "",
        "counter": len(unread),
        "message_count": len(call.world.history(chat)),
        "unread_id": unread[0].id if unread else 0,
        "last_message_id": last,
        "last_id": chat.read.get(call.user, 0),
        "marked_id": 0,
        "disk_folder_id": 0,
        "mute_list": sorted(chat.muted),
        "role": role(call.viewer, chat).lower(),
        "is_new": False,
    }
