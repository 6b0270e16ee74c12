"""What this process has seen of a user's chats: titles, and for a while which of them are pinned."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .models import Chat

FRESH = 60.0
"""Seconds for which a state seen in a list is taken for the state now: the user has other clients too."""


@dataclass(slots=True)
class Seen:
    """One user's chats as last listed, and as changed since through this server."""

    clock: Callable[[], float] = time.monotonic
    _titles: dict[str, Chat] = field(default_factory=dict[str, Chat])
    _pinned: dict[str, tuple[bool, float]] = field(default_factory=dict[str, tuple[bool, float]])

    def remember(self, chats: list[Chat]) -> None:
        """Take note of listed chats; those not among them stay as they were."""
        now = self.clock()
        for chat in chats:
            self._titles[chat.dialog_id] = chat
            self._pinned[chat.dialog_id] = chat.pinned, now

    def chat(self, dialog_id: str) -> Chat | None:
        """Return the chat as last listed, however long ago; good for its title."""
        return self._titles.get(dialog_id)

    def set_pinned(self, dialog_id: str, *, pinned: bool) -> bool | None:
        """Take note of a pin or unpin; return whether that changed anything, None if not known."""
        now = self.clock()
        before, at = self._pinned.get(dialog_id, (None, 0.0))
        self._pinned[dialog_id] = pinned, now
        return before is not pinned if before is not None and now - at <= FRESH else None
