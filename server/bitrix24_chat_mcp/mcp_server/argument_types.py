"""The tools' arguments: how what a model writes is read, what is allowed, and how a schema describes it."""

import re
from collections.abc import Sized
from datetime import UTC, datetime, timedelta
from typing import Annotated, get_args

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from bitrix24_chat_mcp.answers import records
from bitrix24_chat_mcp.chats import query
from bitrix24_chat_mcp.portal.api import rest
from bitrix24_chat_mcp.portal.api.dialogs import SHORTEST_QUERY
from bitrix24_chat_mcp.portal.api.lenient_json import whole

_ISO = "must be an ISO 8601 date and time with an offset, such as 2026-02-25T18:30:00+03:00"
_LONGEST_KINDS = 500
"""Characters or items, more than all kinds have: pydantic would complain of each of a million."""


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(_scalar(value))
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(_ISO) from None
    if moment.tzinfo is None:
        raise ValueError(
            "needs an offset from UTC, such as +03:00 or Z: without one it is not clear which moment is meant"
        )
    # The portal takes no seconds in an offset.
    return utc if (utc - moment.replace(tzinfo=UTC)) % timedelta(minutes=1) else moment


def _dialog_id(value: object) -> str:
    return rest.dialog_id("" if isinstance(value, bool) else _scalar(value))


def _scalar(value: object) -> str:
    """Return a text or a number as text, and nothing for lists and objects, which may be huge."""
    return str(whole(value)) if isinstance(value, str | int | float) else ""


def _kinds(value: object) -> object:
    """Accept one kind, or several in one text, too: models write lists in many ways."""
    if isinstance(value, Sized) and len(value) > _LONGEST_KINDS:
        raise ValueError(f"must be some of {', '.join(get_args(records.Kind))}")
    return re.findall(r"\w+", value) if isinstance(value, str) else value


def _message_text(value: str) -> str:
    if len(value.strip()) < SHORTEST_QUERY:
        raise ValueError(
            f"needs {SHORTEST_QUERY} characters at least: to fewer the portal answers with every message"
        )
    return value.strip()


DialogId = Annotated[str, BeforeValidator(_dialog_id), Field(description="chat123, sg12 or a user's number")]
Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
SearchText = Annotated[
    str, Field(max_length=query.LONGEST_QUERY, description="part of a title or name, typed anyhow")
]
ShowFilter = Annotated[
    query.Show, Field(description="attention: what waits for the user, ranked, with the reasons")
]
Kinds = Annotated[list[records.Kind], BeforeValidator(_kinds), Field(description="only these")]
DetailLevel = Annotated[
    records.Detail,
    Field(description="brief: no last message; full: also members, role, owner, created, position"),
]
Limit = Annotated[int, Field(ge=1, le=200)]
Cursor = Annotated[
    str, Field(max_length=4000, description="next_cursor of the page before, other arguments unchanged")
]
MessageId = Annotated[int, Field(ge=0, le=10**12)]
MessageText = Annotated[str, Field(max_length=query.LONGEST_QUERY), AfterValidator(_message_text)]
