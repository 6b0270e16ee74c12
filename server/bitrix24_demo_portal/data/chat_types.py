"""The kinds of chats: what each is in the database, where it links to, and what it forbids."""

from typing import NamedTuple

from bitrix24_demo_portal.php import Obj

from .world import Chat


class ChatType(NamedTuple):
    """A row of the table: `message_type`, `entity_type`, and the address that `entity_link` leads to."""

    letter: str
    entity: str = ""
    link: str = ""
    url: str = ""
    path: tuple[str, str] | None = None
    """`path` and `path_title`, which some entities add to the restrictions."""


_TASK_URL = "/company/personal/user/1/tasks/task/view/{id}/?ta_sec=chat_tasks&ta_el=view_button"

CHAT_TYPES = {
    "user": ChatType("P"),
    "chat": ChatType("C"),
    "open": ChatType("O"),
    "general": ChatType("O", "GENERAL"),
    "channel": ChatType("N"),
    "openChannel": ChatType("J"),
    "generalChannel": ChatType("J", "GENERAL_CHANNEL"),
    "copilot": ChatType("A"),
    "collab": ChatType("B", "SONET_GROUP", "SONET_GROUP", "/workgroups/group/{id}/"),
    "lines": ChatType("L", "LINES"),
    "crm": ChatType(
        "C", "CRM", "DEAL", "/crm/deal/details/{number}/", ("/crm/deal/details/#ID#/", "Перейти к сделке")
    ),
    "call": ChatType("C", "CALL"),
    "calendar": ChatType(
        "C", "CALENDAR", "CALENDAR", "/calendar/?EVENT_ID={id}", ("/calendar/?EVENT_ID=#ID#", "К событию")
    ),
    "mail": ChatType("C", "MAIL", "MAIL", "/mail/message/{id}"),
    "tasks": ChatType(
        "C", "TASKS", "TASKS", _TASK_URL, ("/company/personal/user/#USER_ID#/tasks/#ID#/", "К задаче")
    ),
    "tasksTask": ChatType("X", "TASKS_TASK", "TASKS", _TASK_URL),
    "sonetGroup": ChatType(
        "C",
        "SONET_GROUP",
        "SONET_GROUP",
        "/workgroups/group/{id}/",
        ("/workgroups/group/#ID#/", "Перейти в группу"),
    ),
    "videoconf": ChatType("C", "VIDEOCONF"),
    "announcement": ChatType("C", "ANNOUNCEMENT"),
    "support24Notifier": ChatType("C", "SUPPORT24_NOTIFIER"),
    "support24Question": ChatType("C", "SUPPORT24_QUESTION"),
    "networkDialog": ChatType("C", "NETWORK_DIALOG"),
    "thread": ChatType("C", "THREAD"),
    "comment": ChatType("T"),
}

_ACTIONS = ("avatar", "rename", "extend", "call", "mute", "leave", "leave_owner", "send", "user_list")
_FORBIDDEN = {
    "lines": {"avatar", "rename", "call", "mute", "leave_owner"},
    "general": {"avatar", "rename", "extend", "leave", "leave_owner"},
    "announcement": {"send", "call"},
    "call": {"mute"},
    "crm": {"avatar", "rename", "leave_owner"},
    "sonetGroup": {"avatar", "rename", "extend", "leave", "leave_owner"},
    "support24Notifier": {"mute", "send", "leave"},
    "support24Question": {"mute", "leave"},
}


def entity_link(chat: Chat) -> Obj:
    """`{type, url, id}`; the address stays relative."""
    kind = CHAT_TYPES.get(chat.kind, ChatType(chat.letter))
    number = chat.entity_id.rpartition("|")[2]
    return {
        "type": kind.link,
        "url": kind.url.format(id=chat.entity_id, number=number),
        "id": chat.entity_id if kind.link else "",
    }


def restrictions(chat: Chat) -> Obj:
    """Say what the chat's kind allows, with a path to its entity for some."""
    forbidden = _FORBIDDEN.get(chat.kind, set())
    allowed: Obj = {action: action not in forbidden for action in _ACTIONS}
    path = CHAT_TYPES.get(chat.kind, ChatType(chat.letter)).path
    return allowed | {"path": path[0], "path_title": path[1]} if path else allowed


def may_pin(chat: Chat) -> bool:
    """Nobody may pin open lines and comment threads."""
    return chat.letter not in {"L", "T"}


def may_mute(chat: Chat) -> bool:
    """Open lines, calls and support chats cannot be muted."""
    return "mute" not in _FORBIDDEN.get(chat.kind, set())
