"""im.recent.get: the whole recent list, of the last 30 days, at once."""

from bitrix24_demo_portal.data.world import Chat, Row, dialog_id
from bitrix24_demo_portal.php import Obj
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.serializers import item, list_chat, short_message
from bitrix24_demo_portal.rest.users import Viewer, user_by_id

_DAY = 86400
_WINDOW = 30 * _DAY
_SYNC_WINDOW = 7 * _DAY
_SKIPPED = {"SKIP_OPENLINES": "L", "SKIP_CHAT": "CO", "SKIP_DIALOG": "P"}


def get(call: MethodCall) -> object:
    """Return all items at once; a parameter that cannot be read is ignored, and never an error."""
    if call.user in call.world.overrides:
        return call.world.overrides[call.user]
    only_lines = call.flag("ONLY_OPENLINES")
    rows = _selected(call, only_lines=only_lines)
    items = [shown for row in in_order(rows, call.user) if (shown := item(call.viewer, row))]
    queue = [] if call.flag("SKIP_OPENLINES") and not only_lines else queue_items(call.viewer)
    found: list[Obj | None] = [*queue, *items] if only_lines else [*items, *queue]
    if call.has("WITH_COUNTERS") and not call.flag("WITH_COUNTERS"):
        return [_without_counter(shown) for shown in found]
    return found


def _without_counter(shown: Obj | None) -> Obj | None:
    return shown and {name: value for name, value in shown.items() if name != "counter"}


def _selected(call: MethodCall, *, only_lines: bool) -> list[Row]:
    rows = call.world.recent(call.user)
    if only_lines:
        return [row for row in rows if row.chat.message_type == "L"]
    skipped = "".join(letters for name, letters in _SKIPPED.items() if call.flag(name))
    since = _since(call)
    return [row for row in rows if row.chat.message_type not in skipped and row.updated >= since]


def _since(call: MethodCall) -> float:
    """Return the date from which rows are listed: LAST_UPDATE, even empty, wins over LAST_SYNC_DATE."""
    date = call.date("LAST_UPDATE" if call.has("LAST_UPDATE") else "LAST_SYNC_DATE")
    if date is None:
        return call.now - _WINDOW
    return max(date, call.now - _SYNC_WINDOW)


def in_order(rows: list[Row], user: int) -> list[Row]:
    """Sort by pinned, then the last message's date, then the id as a string, all descending."""

    def place(row: Row) -> tuple[bool, int, str]:
        date = int(row.chat.last.date) if row.chat.last else 0
        return row.pinned, date, str(dialog_id(row.chat, user))

    return sorted(rows, key=place, reverse=True)


def queue_items(viewer: Viewer) -> list[Obj | None]:
    """Describe open lines that wait for an operator, with fewer keys; null for one without a message."""
    chats = (viewer.world.chats[number] for number in viewer.world.queues.get(viewer.user, ()))
    return [_queue_item(viewer, chat) for chat in chats]


_MISSING_IN_QUEUE = {
    *("parent_chat_id", "parent_message_id", "contains_collaber"),
    *("role", "permissions", "entity_link", "public"),
}


def _queue_item(viewer: Viewer, chat: Chat) -> Obj | None:
    if chat.last is None:
        return None
    message = short_message(viewer, chat.last)
    message.pop("sticker")
    date = viewer.date(chat.last.date)
    return {
        "id": f"chat{chat.id}",
        "chat_id": chat.id,
        "type": "chat",
        "avatar": {"url": viewer.url(chat.avatar), "color": chat.color},
        "title": chat.title,
        "message": message,
        "counter": 1,
        "pinned": False,
        "unread": False,
        "has_reminder": False,
        "date_update": date,
        "chat": {
            name: value for name, value in list_chat(viewer, chat).items() if name not in _MISSING_IN_QUEUE
        },
        "lines": {"id": chat.id + 500, "status": chat.line_status, "date_create": viewer.date(chat.created)},
        "user": user_by_id(viewer, 0),
    }
