"""The tools of no set: each reads its arguments, hands over to a use case in `chats`, and renders the record.

A PortalError passes through: `server` turns it into a tool error.
"""

from datetime import datetime
from typing import Annotated, Any, get_args

from mcp_types import CallToolResult, TextContent
from pydantic import Field

from bitrix24_chat_mcp.answers import text
from bitrix24_chat_mcp.answers.records import ChatList, PinOutcome, Record
from bitrix24_chat_mcp.chats import chat_list, pinning
from bitrix24_chat_mcp.chats.query import ChatQuery
from bitrix24_chat_mcp.portal.api.client import Flag
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError

from . import apps
from .argument_types import Cursor, DetailLevel, DialogId, Kinds, Limit, Moment, SearchText, ShowFilter
from .request_context import app_context


async def list_recent_chats(  # noqa: PLR0913 - the portal's documented parameters, flat, and six of ours
    *,
    query: SearchText = "",
    show: ShowFilter = "all",
    kinds: Kinds = [],  # noqa: B006
    detail: DetailLevel = "normal",
    limit: Limit = 30,
    cursor: Cursor = "",
    skip_openlines: Annotated[bool, Field(description="leave out open-line (client) chats")] = False,
    skip_chat: Annotated[bool, Field(description="leave out group chats")] = False,
    skip_dialog: Annotated[bool, Field(description="leave out people and bots")] = False,
    only_openlines: Annotated[
        bool, Field(description="only open-line chats; voids skip_* and dates")
    ] = False,
    last_update: Annotated[Moment, Field(description="same as last_sync_date")] = None,
    last_sync_date: Annotated[
        Moment, Field(description="only what changed since, such as an earlier as_of; 7 days back at most")
    ] = None,
) -> Annotated[CallToolResult, ChatList]:
    """List the recent chats; the model reads prompts/tools/list_recent_chats.md."""
    flags = {
        "skip_openlines": skip_openlines,
        "skip_chat": skip_chat,
        "skip_dialog": skip_dialog,
        "only_openlines": only_openlines,
    }
    chat_query = ChatQuery(
        text=query,
        show=show,
        kinds=tuple(kinds),
        flags=tuple(flag for flag in get_args(Flag) if flags[flag]),
        since=_one_date(last_sync_date, last_update),
        detail=detail,
        limit=limit,
        cursor=cursor,
    )
    found = await chat_list.list_chats(app_context(), chat_query)
    meta = apps.last_messages(found.chats) if app_context().page_marks else None
    return tool_result(found, text.chat_list(found), meta)


async def pin_chat(
    dialog_id: DialogId, *, pin: Annotated[bool, Field(description="false unpins")] = True
) -> Annotated[CallToolResult, PinOutcome]:
    """Pin or unpin a chat; the model reads prompts/tools/pin_chat.md."""
    outcome = await pinning.pin_chat(app_context(), dialog_id, pinned=pin)
    return tool_result(outcome, text.pin_outcome(outcome))


def _one_date(last_sync_date: datetime | None, last_update: datetime | None) -> datetime | None:
    if last_sync_date and last_update:
        raise InvalidRequestError(
            "INVALID_ARGUMENT",
            "last_update and last_sync_date are one filter: the portal lets the first overwrite the second.",
            "Give only last_sync_date.",
        )
    return last_sync_date or last_update


def tool_result(record: Record, rendered: str, meta: dict[str, Any] | None = None) -> CallToolResult:
    """Answer in two forms that hold the same facts, or as text alone: some hosts show a model only one.

    No host shows a model `meta`.
    """
    structure = record.compact() if app_context().structured else None
    content = TextContent(type="text", text=rendered)
    return CallToolResult(content=[content], structured_content=structure, _meta=meta)
