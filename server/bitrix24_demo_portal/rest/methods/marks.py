"""im.recent.unread, im.recent.hide and im.chat.mute: small marks on a chat in one's own list."""

from bitrix24_demo_portal.data.chat_types import may_mute
from bitrix24_demo_portal.data.world import Chat, split
from bitrix24_demo_portal.php import integer, loosely_n
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError


def unread(call: MethodCall) -> bool:
    """Set or clear the mark; the message counter is untouched. JSON booleans both set it."""
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
    """Take a chat off the list, pin and all, and read it; always true, but `sgN` and `CHATN` do nothing."""
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
    """Mute or unmute; the same loose comparison as for pins. Does not move `date_update`."""
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
