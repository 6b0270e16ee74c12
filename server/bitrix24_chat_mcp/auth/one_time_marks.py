"""Marks of what must not be used twice: authorization codes, and sign-ins that have been finished."""

from typing import Protocol

from cachetools import TLRUCache

from bitrix24_chat_mcp.portal.transport.clock import now

MOST_MARKS = 10_000
"""Marks that one process remembers; only a completed step of a sign-in makes one."""


class OneTimeMarks(Protocol):
    """Remembers ids for some seconds. No method blocks the event loop."""

    async def mark(self, id: str, seconds: float) -> bool:  # noqa: A002 - what it is
        """Mark an id, atomically; return True the first time."""
        ...

    async def is_marked(self, id: str) -> bool:  # noqa: A002
        """Tell whether an id has been marked."""
        ...


class InProcessMarks:
    """The marks of one process."""

    def __init__(self) -> None:
        self._marks: TLRUCache[str, float] = TLRUCache(
            MOST_MARKS, lambda _, seconds, marked: marked + seconds, timer=now
        )

    async def mark(self, id: str, seconds: float) -> bool:  # noqa: A002
        """Mark an id; return True the first time."""
        if id in self._marks:
            return False
        self._marks[id] = seconds
        return True

    async def is_marked(self, id: str) -> bool:  # noqa: A002
        """Tell whether an id has been marked."""
        return id in self._marks
