"""im.recent.pin."""

from bitrix24_demo_portal.data.chat_types import may_pin
from bitrix24_demo_portal.data.world import Chat, dialog_id, split
from bitrix24_demo_portal.php import loosely_n
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError

_MAY_NOT_PIN = "You don\u2019t have permission to pin this chat"
_NO_ACCESS = "You don't have access to this chat"


def pin(call: MethodCall) -> bool:
    """Pin or unpin; `false` at the limit of pins, even for a chat that is pinned already."""
    try:
        chat = _pinnable(call, call.dialog_id())
    except RestError as error:
        if error.code == "ACCESS_ERROR" and call.options.build == "old":
            return False
        raise
    return _set(call, chat, wanted=not loosely_n(call.param("ACTION", "PIN")))


def _set(call: MethodCall, chat: Chat, *, wanted: bool) -> bool:
    if wanted and len(call.world.pins(call.user)) >= call.options.pin_limit:
        return False
    row = call.world.row(call.user, chat, call.now)
    if call.dialog_id() != str(dialog_id(chat, call.user)):
        # The update looks for the literal id, `sg12` or `CHAT12`, and finds none: only the raise remains.
        row.updated = row.activity = call.now
    elif wanted and not row.pinned:
        call.world.pin(call.user, row, call.now)
    elif row.pinned and not wanted:
        row.pinned, row.place, row.updated = False, 0, call.now
    return True


def _pinnable(call: MethodCall, dialog: str) -> Chat:
    kind, number = split(dialog)
    if kind == "":
        if number not in call.world.people:
            raise RestError("ACCESS_ERROR", _NO_ACCESS)
        return call.world.open_private(call.user, number, call.now)
    chat = call.world.find(call.user, dialog)
    if kind in {"crm", "notify"} or (kind == "sg" and chat is None):
        raise RestError("ACCESS_ERROR", _NO_ACCESS)
    if chat is None or call.user not in chat.members or not may_pin(chat):
        raise RestError("ACCESS_ERROR", _MAY_NOT_PIN)
    return chat
