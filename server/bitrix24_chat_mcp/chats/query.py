"""What a caller asks of the chat list."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from bitrix24_chat_mcp.answers.records import Detail
from bitrix24_chat_mcp.portal.api.client import Flag

Show = Literal["all", "unread", "pinned", "attention"]
LONGEST_QUERY = 200
"""Characters of a text that chats are searched for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatQuery:
    """Which chats, how much of each, and which page of them; the default is the first page of all.

    `text` is searched for in titles. `flags` and `since` are applied by the portal, the rest by this server.
    """

    text: str = ""
    show: Show = "all"
    kinds: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    since: datetime | None = None
    detail: Detail = "normal"
    limit: int = 30
    cursor: str = ""

    @property
    def identity(self) -> str:
        """What a cursor is bound to: all that decides which chats are listed, not how they are shown."""
        since = self.since and self.since.astimezone(UTC).isoformat()
        return repr((self.text, self.show, sorted(set(self.kinds)), self.flags, since))
