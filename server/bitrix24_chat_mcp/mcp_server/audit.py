"""A line for each write: when, which user, which tool, which chats, what came of it. Never what."""

import json
import logging
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from bitrix24_chat_mcp.logs import AUDIT
from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.runtime.caller import CredentialProvider

_logger = logging.getLogger(AUDIT)
_NO_CHAT = re.compile(r"[^A-Za-z0-9_]")
_MOST_CHATS = 50
_LONGEST = 100  # characters of any other field


@dataclass(slots=True)
class AuditRecord:
    """A write that is under way. `outcome` is `ok`, the code of what went wrong, or `cancelled`."""

    outcome: str = "cancelled"


@contextmanager
def record(tool: str, arguments: Mapping[str, Any], caller: Credentials | None) -> Generator[AuditRecord]:
    """Write the line when the block is left, however that happens."""
    written = AuditRecord()
    try:
        yield written
    finally:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "portal": (caller.portal if caller else "")[:_LONGEST],
            "user": (caller.user if caller else "")[:_LONGEST],
            "tool": tool[:_LONGEST],
            "dialog_id": list(islice(_chats(arguments), _MOST_CHATS)),
            "outcome": written.outcome[:_LONGEST],
        }
        _logger.info(json.dumps(line))


async def named(who: CredentialProvider) -> Credentials | None:
    """Return the credentials of the caller, None where nobody is signed in."""
    try:
        return await who()
    except PortalError:
        return None


def _chats(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Find the chats that a call names, as one or as several; what cannot be an id is not repeated."""
    for name, value in arguments.items():
        if name.startswith("dialog_id"):
            for one in cast("list[object]", value if isinstance(value, list) else [value]):
                yield _NO_CHAT.sub("", str(one)[:100])[:24]
