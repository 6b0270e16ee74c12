"""im.dialog.read, .read.all and .unread, im.recent.unread and .hide, im.chat.mute."""

from bitrix24_demo_portal.data.chat_types import may_mute
from bitrix24_demo_portal.data.world import Chat, split
from bitrix24_demo_portal.php import integer, loosely_n
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError


def read(call: MethodCall) -> object:
    """Read up to MESSAGE_ID (or LAST_ID), or all; without access the answer is `false`, and no error.

    A bound leaves the mark that im.recent.unread set.
    """
    dialog = call.dialog_id()
    if dialog == "notify":
        return True
    chat = call.world.find(call.user, dialog)
    if chat is None or call.user not in chat.members:
        return False
    _read_up_to(call, chat, integer(call.param("LAST_ID", "MESSAGE_ID")))
    left = len(chat.unread_by(call.user))
    return {"dialogId": dialog, "chatId": chat.id, "lastId": chat.read[call.user], "counter": left}


def _read_up_to(call: MethodCall, chat: Chat, bound: int) -> None:
    newest = chat.last.id if chat.last else 0
    chat.read[call.user] = max(chat.read.get(call.user, 0), min(bound, newest) if bound > 0 else newest)
    row = call.world.rows.get(call.user, {}).get(chat.id)
    if row:
        row.marked, row.updated = row.marked and bound > 0, call.now


def read_all(call: MethodCall) -> bool:
    """Clear all counters and marks; only rows that were marked by hand move their `date_update`."""
    for row in call.world.rows.get(call.user, {}).values():
        if row.chat.last:
            row.chat.read[call.user] = row.chat.last.id
        if row.marked:
            row.marked, row.updated = False, call.now
    return True


def unread_from(call: MethodCall) -> bool:
    """Make a message and all later ones unread; `true` whether or not there is such a chat or message."""
    message_id = integer(call.param("MESSAGE_ID"))
    if message_id <= 0:
        raise RestError("MESSAGE_ID_ERROR")
    chat = call.world.find(call.user, call.dialog_id(notify=False))
    if chat and call.user in chat.members:
        earlier = [message.id for message in call.world.history(chat) if message.id < message_id]
        chat.read[call.user] = min(chat.read.get(call.user, 0), earlier[-1] if earlier else 0)
    return True


def mark_unread(call: MethodCall) -> bool:
    """Mark a chat unread by hand, or clear that mark (only with the string `N`); its counter stays."""
    dialog = call.dialog_id()
    wanted = call.param("ACTION", "UNREAD") != "N"
    chat = call.world.find(call.user, dialog)
    row = call.world.rows.get(call.user, {}).get(chat.id) if chat else None
    if row is None:
        return False
    if row.marked != wanted:
        row.marked, row.updated = wanted, call.now
    return True


def hide(call: MethodCall) -> bool:
    """Remove a chat from the list with its pin, and mark it read; `true` even where that does nothing."""
    dialog = call.dialog_id()
    kind, number = split(dialog)
    chat = call.world.find(call.user, dialog)
    if chat and dialog in {str(number), f"chat{number}"} and kind in {"", "chat"}:
        _forget(call, chat)
    return True


def _forget(call: MethodCall, chat: Chat) -> None:
    call.world.rows.get(call.user, {}).pop(chat.id, None)
    if chat.last:
        chat.read[call.user] = chat.last.id
    queue = call.world.queues.get(call.user, [])
    if chat.id in queue:
        queue.remove(chat.id)


def mute(call: MethodCall) -> bool:
    """Mute or unmute with the loose comparison of pins: JSON `false` mutes. `date_update` stays."""
    chat = _mutable(call)
    if loosely_n(call.param("ACTION", "MUTE")):
        chat.muted.discard(call.user)
    else:
        chat.muted.add(call.user)
    return True


def _mutable(call: MethodCall) -> Chat:
    if call.param("DIALOG_ID") is not None:
        chat = call.world.find(call.user, call.dialog_id(notify=False))
        number = chat.id if chat else _unresolved(call)
    else:
        number = integer(call.param("CHAT_ID"))
    if number <= 0:
        raise RestError("CHAT_ID_EMPTY")
    chat = call.world.chats.get(number)
    if chat is None or call.user not in chat.members or not may_mute(chat):
        raise RestError("ACCESS_ERROR", "This chat cannot be muted", 403)
    return chat


def _unresolved(call: MethodCall) -> int:
    kind, number = split(call.dialog_id())
    return number if kind == "chat" else 0
