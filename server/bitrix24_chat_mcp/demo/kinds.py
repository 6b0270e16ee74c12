"""The kinds of chats: what each is in the database, where it links to, and what it forbids."""

from typing import NamedTuple

from .php import Obj
from .state import Chat


class Kind(NamedTuple):
    """A row of the table: `message_type`, `entity_type`, and the address that `entity_link` leads to."""

    letter: str
    entity: str = ""
    link: str = ""
    url: str = ""
    path: tuple[str, str] | None = None
    """`path` and `path_title`, which some entities add to the restrictions."""


_TASK_URL = "/company/personal/user/1/tasks/task/view/{id}/?ta_sec=chat_tasks&ta_el=view_button"

KINDS = {
    "user": Kind("P"),
    "chat": Kind("C"),
    "open": Kind("O"),
    "general": Kind("O", "GENERAL"),
    "channel": Kind("N"),
    "openChannel": Kind("J"),
    "generalChannel": Kind("J", "GENERAL_CHANNEL"),
    "copilot": Kind("A"),
    "collab": Kind("B", "SONET_GROUP", "SONET_GROUP", "/workgroups/group/{id}/"),
    "lines": Kind("L", "LINES"),
    "crm": Kind(
        "C", "CRM", "DEAL", "/crm/deal/details/{number}/", ("/crm/deal/details/#ID#/", "Перейти к сделке")
    ),
    "call": Kind("C", "CALL"),
    "calendar": Kind(
        "C", "CALENDAR", "CALENDAR", "/calendar/?EVENT_ID={id}", ("/calendar/?EVENT_ID=#ID#", "К событию")
    ),
    "mail": Kind("C", "MAIL", "MAIL", "/mail/message/{id}"),
    "tasks": Kind(
        "C", "TASKS", "TASKS", _TASK_URL, ("/company/personal/user/#USER_ID#/tasks/#ID#/", "К задаче")
    ),
    "tasksTask": Kind("X", "TASKS_TASK", "TASKS", _TASK_URL),
    "sonetGroup": Kind(
        "C",
        "SONET_GROUP",
        "SONET_GROUP",
        "/workgroups/group/{id}/",
        ("/workgroups/group/#ID#/", "Перейти в группу"),
    ),
    "videoconf": Kind("C", "VIDEOCONF"),
    "announcement": Kind("C", "ANNOUNCEMENT"),
    "support24Notifier": Kind("C", "SUPPORT24_NOTIFIER"),
    "support24Question": Kind("C", "SUPPORT24_QUESTION"),
    "networkDialog": Kind("C", "NETWORK_DIALOG"),
    "thread": Kind("C", "THREAD"),
    "comment": Kind("T"),
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
    kind = KINDS.get(chat.kind, Kind(chat.letter))
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
    path = KINDS.get(chat.kind, Kind(chat.letter)).path
    return allowed | {"path": path[0], "path_title": path[1]} if path else allowed


def may_pin(chat: Chat) -> bool:
    """Nobody may pin open lines and comment threads."""
    return chat.letter not in {"L", "T"}


def may_mute(chat: Chat) -> bool:
    """Open lines, calls and support chats cannot be muted."""
    return "mute" not in _FORBIDDEN.get(chat.kind, set())
