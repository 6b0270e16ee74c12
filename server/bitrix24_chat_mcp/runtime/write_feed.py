"""Tells those who watch a user's chats of this server's own writes: the portal's lists do not show all."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from bitrix24_chat_mcp.portal.api.credentials import Credentials


class WriteFeed:
    """Sets the events of those who watch a user's chats."""

    def __init__(self) -> None:
        self._watchers: dict[tuple[str, str], set[asyncio.Event]] = {}

    def announce(self, user: Credentials) -> None:
        """Tell of a write that was sent, whatever came of it."""
        for event in self._watchers.get((user.portal, user.user), ()):
            event.set()

    @contextmanager
    def watch(self, user: Credentials) -> Generator[asyncio.Event]:
        """Give an event that is set by each write for this user while the block runs."""
        event, key = asyncio.Event(), (user.portal, user.user)
        self._watchers.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            self._watchers[key].discard(event)
            if not self._watchers[key]:
                del self._watchers[key]
