"""im.counters.get."""

import re

from bitrix24_demo_portal.data.world import Chat, partner
from bitrix24_demo_portal.php import Obj, array
from bitrix24_demo_portal.rest.call import MethodCall

_SECTIONS = {
    "P": "DIALOG", "C": "CHAT", "O": "CHAT", "N": "CHAT", "J": "CHAT", "L": "LINES",
    "A": "COPILOT", "B": "COLLAB", "X": "TASKS_TASK",
}  # fmt: skip
_MARKED = ("CHAT", "DIALOG", "COPILOT", "COLLAB", "TASKS_TASK")
_NOTIFICATIONS = 4


def get(call: MethodCall) -> Obj:
    """Count unread messages by section, muted chats only in CHAT_MUTED; parameters exactly as named."""
    counts: dict[str, dict[int, int]] = {section: {} for section in (*_SECTIONS.values(), "CHAT_MUTED")}
    marks: dict[str, list[int]] = {section: [] for section in _MARKED}
    for row in call.world.recent(call.user):
        section, key = _SECTIONS.get(row.chat.message_type, "CHAT"), _key(row.chat, call.user)
        unread = len(row.chat.unread_by(call.user))
        if unread:
            counts["CHAT_MUTED" if call.user in row.chat.muted else section][key] = unread
        if row.marked and section in marks:
            marks[section].append(key)
    counts["LINES"] |= dict.fromkeys(call.world.queues.get(call.user, ()), 1)
    types = _types(counts)
    if call.params.get("ONLY_COUNTER") == "Y":
        result: Obj = {"TYPE": types}
    else:
        lists: Obj = {section: array(found) for section, found in counts.items()}
        result = {"TYPE": types, **lists, "CHANNEL_COMMENT": []}
        result |= {f"{section}_UNREAD": found for section, found in marks.items()}
    return _camel_cased(result | {"TYPE": _camel_cased(types)}) if call.params.get("JSON") == "Y" else result


def _key(chat: Chat, user: int) -> int:
    return partner(chat, user) if chat.message_type == "P" else chat.id


def _types(counts: dict[str, dict[int, int]]) -> Obj:
    sums = {section: sum(found.values()) for section, found in counts.items() if section != "CHAT_MUTED"}
    messenger = sum(sums.values())
    return {"ALL": messenger + _NOTIFICATIONS, "NOTIFY": _NOTIFICATIONS, **sums, "MESSENGER": messenger}


def _camel_cased(result: Obj) -> Obj:
    return {
        re.sub(r"_(\w)", lambda letter: letter[1].upper(), name.lower()): value
        for name, value in result.items()
    }
