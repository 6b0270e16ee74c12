"""What this process has seen of a user's chats: titles, and for a while which of them are pinned."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bitrix24_chat_mcp.portal.api.models import Chat

FRESH = 60.0
"""Seconds for which a state seen in a list is taken for the state now: the user has other clients too.

0 where several servers serve one user: any of them may have changed it since.
"""


@dataclass(slots=True)
class ChatCache:
    """One user's chats as last listed, and as changed since through this server."""

    fresh: float = FRESH
    clock: Callable[[], float] = time.monotonic
    _titles: dict[str, str] = field(default_factory=dict[str, str])
    _pinned: dict[str, tuple[bool, float]] = field(default_factory=dict[str, tuple[bool, float]])
    _pins: tuple[int, float] | None = None

    def remember(self, chats: list[Chat], *, whole: bool) -> None:
        """Take note of listed chats; `whole` says that every pinned one is among them."""
        now = self.clock()
        for chat in chats:
            self._titles[chat.dialog_id] = chat.title
            self._pinned[chat.dialog_id] = chat.pinned, now
        if whole:
            self._pins = sum(chat.pinned for chat in chats), now

    def name(self, dialog_id: str, title: str) -> None:
        """Take note of a title that was asked for."""
        self._titles[dialog_id] = title

    def title(self, dialog_id: str) -> str | None:
        """Return a chat's title as last seen, however long ago; None if never."""
        return self._titles.get(dialog_id)

    def set_pinned(self, dialog_id: str, *, pinned: bool) -> bool | None:
        """Take note of a pin or unpin; return whether that changed anything, None if not known."""
        now = self.clock()
        before, at = self._pinned.get(dialog_id, (None, 0.0))
        self._pinned[dialog_id] = pinned, now
        if before is None or now - at > self.fresh:
            self._pins = None
            return None
        if before is not pinned and self._pins:
            self._pins = self._pins[0] + (1 if pinned else -1), self._pins[1]
        return before is not pinned

    def pins(self) -> int | None:
        """Return how many chats are pinned, None if not known."""
        return self._pins[0] if self._pins and self.clock() - self._pins[1] <= self.fresh else None
