"""A line for each write: when, which user, which tool, which chats, what came of it. Never what was written."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from .portal.auth import Credentials

_logger = logging.getLogger(__name__)
_NO_CHAT = re.compile(r"[^A-Za-z0-9_]")
_MOST_CHATS = 50


def wrote(tool: str, arguments: Mapping[str, Any], who: Credentials | None, outcome: str) -> None:
    """Write the line. `outcome` is `ok` or the code of what went wrong."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "portal": who.portal if who else "",
        "user": who.user if who else "",
        "tool": tool,
        "dialog_id": list(_chats(arguments))[:_MOST_CHATS],
        "outcome": outcome,
    }
    _logger.info(json.dumps(line, ensure_ascii=False))


def _chats(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Find the chats that a call names, as one or as several; what cannot be an id is not repeated."""
    for name, value in arguments.items():
        if name.startswith("dialog_id"):
            for one in cast("list[object]", value if isinstance(value, list) else [value]):
                yield _NO_CHAT.sub("", str(one))[:24]
