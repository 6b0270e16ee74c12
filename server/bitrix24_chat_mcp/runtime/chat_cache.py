"""What this process knows of a user's chats: titles, and for a while which of them are pinned."""

from datetime import UTC, datetime
from typing import NamedTuple

from anyio import current_time
from cachetools import LRUCache

from bitrix24_chat_mcp.portal.api.models import Listing

FRESH = 60.0
"""Seconds for which a listed state is taken for the present one: the user has other clients, too.

0 where several servers serve one user: any of them may have changed it since.
"""
MOST_CHATS = 5000
LONGEST_TITLE = 1000
"""Characters; a longer title is asked for again where it is needed."""


class _KnownChat(NamedTuple):
    """`pinned` is None where no list has told it; `at` is when it was told, in seconds."""

    title: str | None = None
    pinned: bool | None = None
    at: float = 0.0


class ChatCache:
    """One user's chats as last listed, and as changed since through this server."""

    def __init__(self, fresh: float = FRESH) -> None:
        self._fresh = fresh
        self._chats: LRUCache[str, _KnownChat] = LRUCache(MOST_CHATS)
        self._pin_count: tuple[int, float] | None = None
        self._listed: datetime | None = datetime.min.replace(tzinfo=UTC)

    def remember_list(self, listing: Listing, *, all_pins: bool) -> None:
        """Remember listed chats; `all_pins` says that every pinned chat is among them."""
        if listing.age and listing.as_of == self._listed and not all_pins:
            return  # it comes again out of the pipeline's cache, and tells nothing new
        self._listed, now, pinned = listing.as_of, current_time(), 0
        for chat in listing.chats:
            self._chats[chat.dialog_id] = _KnownChat(_bounded(chat.title), chat.pinned, now)
            pinned += chat.pinned
        if all_pins:
            self._pin_count = pinned, now

    def remember_title(self, dialog_id: str, title: str) -> None:
        """Remember a title that the portal was asked for."""
        self._chats[dialog_id] = self._known(dialog_id)._replace(title=_bounded(title))

    def title(self, dialog_id: str) -> str | None:
        """Return a chat's title as last told, however long ago; None where it is not known."""
        return self._known(dialog_id).title

    def is_pinned(self, dialog_id: str) -> bool | None:
        """Return whether a chat is pinned, None where that is not known."""
        known = self._known(dialog_id)
        return known.pinned if current_time() - known.at < self._fresh else None

    def set_pinned(self, dialog_id: str, *, pinned: bool) -> bool | None:
        """Remember a pin or unpin; return whether it changed anything, None where that is not known."""
        before = self.is_pinned(dialog_id)
        self._chats[dialog_id] = self._known(dialog_id)._replace(pinned=pinned, at=current_time())
        if before is None:
            self._pin_count = None
            return None
        changed = before is not pinned
        if changed and self._pin_count:
            count, at = self._pin_count
            self._pin_count = count + (1 if pinned else -1), at
        return changed

    def pin_count(self) -> int | None:
        """Return how many chats are pinned, None where that is not known."""
        if self._pin_count and current_time() - self._pin_count[1] < self._fresh:
            return self._pin_count[0]
        return None

    def _known(self, dialog_id: str) -> _KnownChat:
        return self._chats.get(dialog_id) or _KnownChat()


def _bounded(title: str) -> str | None:
    return title if len(title) <= LONGEST_TITLE else None
