"""The tasks of tasks.toml, and a demo portal for each."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from bitrix24_demo_portal import ChatFixture, DemoPortal, Fault
from bitrix24_demo_portal.data.people import ME
from bitrix24_demo_portal.data.world import World, dialog_id

FILE = Path(__file__).with_name("tasks.toml")
EVERYDAY_CHATS = 18
_AGE_OF_A_PIN = 86400.0

Call = tuple[str, dict[str, Any]]
"""A tool and its arguments."""


@dataclass(frozen=True, kw_only=True)
class EvalTask:
    """One request of a user, and how it is judged; tasks.toml explains the fields."""

    id: str
    prompt: str
    says: tuple[str, ...]
    never: tuple[str, ...] = ()
    pinned: frozenset[str] = frozenset()
    unpinned: frozenset[str] = frozenset()
    tried: frozenset[str] = frozenset()
    requests: int = 6
    turns: int = 8
    tokens: int = 8000
    faults: tuple[Mapping[str, Any], ...] = ()
    pins: int = 0
    chats: tuple[Mapping[str, Any], ...] = ()
    calls: tuple[Call, ...] = ()
    answer: str
    fails: frozenset[str]

    def open_portal(self) -> DemoPortal:
        """Return the portal on which the task is done."""
        portal = DemoPortal(chats=EVERYDAY_CHATS)
        for chat in self.chats:
            portal.add_chat(ChatFixture(**chat))
        for number in range(self.pins):
            project = ChatFixture("chat", "petrov", f"Project {number + 1}", pinned=True)
            portal.add_chat(project, _AGE_OF_A_PIN)
        for fault in self.faults:
            rest = {name: value for name, value in fault.items() if name not in {"method", "calls"}}
            portal.fail(fault["method"], Fault(**rest), fault.get("calls"))
        return portal


@cache
def tasks() -> Mapping[str, EvalTask]:
    """Return every task by its id."""
    written = tomllib.loads(FILE.read_text(encoding="utf-8"))["task"]
    every = (EvalTask(**{name: _value(name, value) for name, value in one.items()}) for one in written)
    return {task.id: task for task in every}


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    if name == "calls":
        return tuple((tool, arguments) for tool, arguments in value)
    if name in {"pinned", "unpinned", "tried", "fails"}:
        return frozenset(value)
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def pins_of(world: World) -> list[str]:
    """Return the dialog ids of the user's pins."""
    return [str(dialog_id(row.chat, ME)) for row in world.pins(ME)]


def rest_of(world: World) -> list[str]:
    """Describe all that no task may change: messages, what was read, mutes and marks, one line a chat."""
    rows = world.rows[ME]
    return [
        f"{chat.id} {chat.title} {len(chat.messages)} {chat.read.get(ME)} {sorted(chat.muted)} "
        f"{sorted(chat.members)} {chat.id in rows and rows[chat.id].marked}"
        for chat in world.chats.values()
    ]
