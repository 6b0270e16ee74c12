"""A line for each write: when, which user, which tool, which chats, what outcome. Never message content."""

import json
import logging
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.logs import AUDIT
from bitrix24_chat_mcp.portal.api.credentials import Credentials

_logger = logging.getLogger(AUDIT)
_NO_DIALOG_ID = re.compile(r"[^A-Za-z0-9_]")
_MOST_CHATS = 50
_LONGEST_DIALOG_ID, _LONGEST_FIELD = 24, 100  # characters


@dataclass(slots=True)
class AuditRecord:
    """A write that is under way. `outcome` is `ok`, `asked back`, `declined`, `cancelled` or a code."""

    outcome: str = "cancelled"


@contextmanager
def record(
    tool: str, arguments: Mapping[str, Any], caller: Credentials | None, client: str = ""
) -> Generator[AuditRecord]:
    """Write the line when the block is left, however that happens.

    `caller` is None for an unknown one; `client` names the program that calls, as it names itself.
    """
    written = AuditRecord()
    try:
        yield written
    finally:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "portal": caller.portal[:_LONGEST_FIELD] if caller else "",
            "user": caller.user[:_LONGEST_FIELD] if caller else "",
            "client": sanitize(client, _LONGEST_FIELD),
            "tool": tool[:_LONGEST_FIELD],
            "dialog_id": list(islice(_dialog_ids(arguments), _MOST_CHATS)),
            "outcome": written.outcome[:_LONGEST_FIELD],
        }
        _logger.info(json.dumps(line))


def _dialog_ids(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Find the chats that a call names, as one or as several, with only characters of a dialog id."""
    for name, value in arguments.items():
        if name.startswith("dialog_id"):
            for one in cast("list[object]", value if isinstance(value, list) else [value]):
                # Secrets are masked first: the half of one that a cut leaves has no telling shape.
                text = sanitize(str(one), _LONGEST_FIELD) if isinstance(one, str | int) else ""
                yield _NO_DIALOG_ID.sub("", text)[:_LONGEST_DIALOG_ID]
