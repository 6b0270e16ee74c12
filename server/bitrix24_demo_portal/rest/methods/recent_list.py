"""im.recent.list: the recent list in pages, however old its rows are."""

from bitrix24_demo_portal.data.files import read_json
from bitrix24_demo_portal.data.world import Row
from bitrix24_demo_portal.php import Obj
from bitrix24_demo_portal.rest.call import MethodCall, MethodResult
from bitrix24_demo_portal.rest.serializers import item

from .recent_get import queue_items

_DEFAULT, _MOST = 50, 200
_SKIPPED = {"SKIP_OPENLINES": "L", "SKIP_CHAT": "CO", "SKIP_DIALOG": "P"}
_ONLY = {"ONLY_COPILOT": "A", "ONLY_CHANNEL": "NJ"}


def page(call: MethodCall) -> MethodResult:
    """Return a page: `next` counts the items returned, `hasMore` the rows, and `total` is always -1."""
    limit = call.limit(_DEFAULT, _MOST)
    limit = limit if limit > 0 else _DEFAULT
    before = call.date("LAST_MESSAGE_DATE" if call.param("LAST_MESSAGE_DATE") else "DATE_LAST_ACTIVITY")
    offset = 0 if before is not None else call.offset()
    raw, items = _cut(call, before, offset, limit)
    if not (call.flag("SKIP_OPENLINES") or call.flag("SKIP_UNDISTRIBUTED_OPENLINES")):
        items += queue_items(call.viewer)
    more = raw == limit
    result: Obj = {"items": items, "hasMorePages": more, "hasMore": more}
    result |= {"copilot": _copilot(call), "messagesAutoDeleteConfigs": []}
    if before is None and not call.flag("UNREAD_ONLY"):
        result["birthdayList"] = []
    return MethodResult(result, total=-1, next=offset + len(items) if more else None)


def _cut(call: MethodCall, before: float | None, offset: int, limit: int) -> tuple[int, list[object]]:
    """Return how many rows the page took, and the items that are left of them."""
    override = call.world.overrides.get(call.user)
    if override is not None:
        cut = override[offset : offset + limit]
        return len(cut), cut
    rows = _in_order(call, [row for row in call.world.recent(call.user) if _matches(call, row, before)])
    rows = rows[offset : offset + limit]
    return len(rows), [_texted(call, row, shown) for row in rows if (shown := item(call.viewer, row))]


def _matches(call: MethodCall, row: Row, before: float | None) -> bool:
    """Apply the filters; task chats are never listed here, and LAST_MESSAGE_DATE itself is included."""
    kind = row.chat.message_type
    skipped = "X" + "".join(letters for name, letters in _SKIPPED.items() if call.flag(name))
    only = "".join(letters for name, letters in _ONLY.items() if call.flag(name))
    if kind in skipped or (only and kind not in only):
        return False
    if call.flag("UNREAD_ONLY") and not (row.marked or row.chat.unread_by(call.user)):
        return False
    if call.flag("CAN_MANAGE_MESSAGES") and kind in "NJ" and call.user not in row.chat.managers:
        return False
    return before is None or int(row.activity) <= before


def _in_order(call: MethodCall, rows: list[Row]) -> list[Row]:
    def place(row: Row) -> tuple[int, float, int]:
        by_position = row.pinned and call.options.pins_by_position
        return -int(row.pinned), row.place if by_position else -int(row.activity), -row.chat.id

    return sorted(rows, key=place)


def _texted(call: MethodCall, row: Row, shown: Obj) -> Obj:
    """Apply GET_ORIGINAL_TEXT (BB codes), PARSE_TEXT (HTML, which wins) and WITH_COUNTERS."""
    message = shown["message"]
    if isinstance(message, dict) and row.chat.last:
        if call.flag("PARSE_TEXT"):
            message["text"] = _html(row.chat.last.text)
        elif call.flag("GET_ORIGINAL_TEXT"):
            message["text"] = row.chat.last.text
    if call.has("WITH_COUNTERS") and not call.flag("WITH_COUNTERS"):
        shown.pop("counter")
    return shown


def _html(text: str) -> str:
    for tag in "bius":
        text = text.replace(f"[{tag}]", f"<{tag}>").replace(f"[/{tag}]", f"</{tag}>")
        text = text.replace(f"[{tag.upper()}]", f"<{tag}>").replace(f"[/{tag.upper()}]", f"</{tag}>")
    return text.replace("\n", "<br />")


def _copilot(call: MethodCall) -> Obj | None:
    if not any(row.chat.message_type == "A" for row in call.world.recent(call.user)):
        return None
    picture = f"https://{call.options.domain}/upload/ai/avatars/assistant_{{}}.png"
    avatar = {size: picture.format(size) for size in ("small", "medium", "large")}
    roles = {"copilot_assistant": read_json("templates")["assistant"] | {"avatar": avatar}}
    return {"chats": None, "messages": None, "roles": roles, "recommendedRoles": list(roles)}
