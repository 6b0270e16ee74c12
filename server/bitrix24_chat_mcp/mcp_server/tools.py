"""The tools: ask the portal, answer the model.

A PortalError passes through: `app` turns it into a tool error.
"""

import re
from collections.abc import Sized
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, get_args

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, TextContent
from pydantic import BeforeValidator, Field, WithJsonSchema

from bitrix24_chat_mcp.answers import records, text
from bitrix24_chat_mcp.answers.records import ChatList, Detail, Kind, PinOutcome, Record, Undo
from bitrix24_chat_mcp.chats import chat_list
from bitrix24_chat_mcp.chats.chat_list import ChatQuery
from bitrix24_chat_mcp.chats.filters import LONGEST_QUERY, ChatFilter, Show
from bitrix24_chat_mcp.portal.api import rest
from bitrix24_chat_mcp.portal.api.client import MOST_PINS, Flag, Portal
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError, PortalError
from bitrix24_chat_mcp.portal.transport.call_context import pop_notices
from bitrix24_chat_mcp.runtime.chat_cache import ChatCache
from bitrix24_chat_mcp.runtime.context import AppContext

_ISO = "must be an ISO 8601 date and time with an offset, such as 2026-02-25T18:30:00+03:00"

_LONGEST_KINDS = 500
"""Characters or items, more than all kinds have: each of a million would be complained of."""


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(_word(value))
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
    return rest.dialog_id("" if isinstance(value, bool) else _word(value))


def _word(value: object) -> str:
    """Return a text or a number as text; what has parts, and may have a million of them, is none."""
    return str(value) if isinstance(value, str | int | float) else ""


def _kinds(value: object) -> object:
    """Take one kind, or several in one text, too: models write lists in many ways."""
    if isinstance(value, Sized) and len(value) > _LONGEST_KINDS:
        raise ValueError(f"must be some of {', '.join(get_args(Kind))}")
    return re.findall(r"\w+", value) if isinstance(value, str) else value


Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
DialogId = Annotated[str, BeforeValidator(_dialog_id), Field(description="chat123, sg12 or a user's number")]


async def list_recent_chats(  # noqa: PLR0913 - the documented parameters, flat, and five of ours
    ctx: Context[AppContext],
    *,
    query: Annotated[
        str, Field(max_length=LONGEST_QUERY, description="part of a title or name, typed anyhow")
    ] = "",
    show: Annotated[
        Show, Field(description="attention: what waits for the user, ranked, with the reasons")
    ] = "all",
    kinds: Annotated[list[Kind], BeforeValidator(_kinds), Field(description="only these")] = [],  # noqa: B006
    detail: Annotated[
        Detail,
        Field(description="brief: no last message; full: also members, role, owner, created, position"),
    ] = "normal",
    limit: Annotated[int, Field(ge=1, le=200)] = 30,
    cursor: Annotated[
        str, Field(max_length=4000, description="next_cursor of the page before, other arguments unchanged")
    ] = "",
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
    wish = ChatQuery(
        choice=ChatFilter(query, show, tuple(kinds)),
        detail=detail,
        flags=tuple(flag for flag in get_args(Flag) if flags[flag]),
        since=_one_date(last_sync_date, last_update),
        limit=limit,
        cursor=cursor,
    )
    found = await chat_list.list_chats(ctx.request_context.lifespan_context, wish)
    return _answer(found, text.chat_list(found))


async def pin_chat(
    ctx: Context[AppContext],
    dialog_id: DialogId,
    *,
    pin: Annotated[bool, Field(description="false unpins")] = True,
) -> Annotated[CallToolResult, PinOutcome]:
    """Pin or unpin a chat; the model reads prompts/tools/pin_chat.md."""
    service = ctx.request_context.lifespan_context
    portal = await service.portal()
    seen = service.seen(portal)
    if dialog_id.startswith("sg"):  # the portal says true to sgN, and pins nothing
        dialog_id = await _find(portal, seen, dialog_id)
    if not await portal.pin(dialog_id, pin=pin):
        raise await _why_not(portal, pin=pin)
    changed = seen.set_pinned(dialog_id, pinned=pin)
    if seen.title(dialog_id) is None:
        with suppress(PortalError):  # the pin is done; its title is a courtesy
            await _learn_title(portal, seen, dialog_id)
    title = seen.title(dialog_id)
    outcome = PinOutcome(
        dialog_id=dialog_id,
        title=records.heading(dialog_id, title) if title is not None else "",
        pinned=pin,
        changed=changed,
        pins=seen.pins(),
        notes=pop_notices(),
        undo=None if changed is False else Undo(dialog_id=dialog_id, pin=not pin),
        portal=service.label,
    )
    return _answer(outcome, text.pin_outcome(outcome))


async def _find(portal: Portal, seen: ChatCache, dialog_id: str) -> str:
    """Ask which chat a dialog id means, and what it is called."""
    found, title = await portal.dialog(dialog_id)
    seen.name(found, title)
    return found


async def _learn_title(portal: Portal, seen: ChatCache, dialog_id: str) -> None:
    """Find out what a pinned chat is called."""
    if not dialog_id.isdigit():
        await _find(portal, seen, dialog_id)
    else:  # im.dialog.get has no name for a person, but whom the pin has touched is in the list
        seen.remember((await portal.recent()).chats, whole=False)


def _one_date(last_sync_date: datetime | None, last_update: datetime | None) -> datetime | None:
    if last_sync_date and last_update:
        raise InvalidRequestError(
            "INVALID_ARGUMENT",
            "last_update and last_sync_date are one filter: the portal lets the first overwrite the second.",
            "Give only last_sync_date.",
        )
    return last_sync_date or last_update


async def _why_not(portal: Portal, *, pin: bool) -> PortalError:
    """Find out why the portal said false: it does so at the limit, and to strangers of a chat."""
    if pin and sum(chat.pinned for chat in (await portal.recent_and_pinned()).chats) >= MOST_PINS:
        return InvalidRequestError(
            "PIN_LIMIT",
            f"{MOST_PINS} chats are pinned already, and Bitrix24 pins no more.",
            "Unpin a chat first: pin_chat with pin=false.",
        )
    return InvalidRequestError(
        "NOT_PINNED" if pin else "NOT_UNPINNED",
        "The portal did nothing: the user has no relation to this chat.",
        "Take a dialog_id from list_recent_chats.",
    )


def _answer(record: Record, said: str) -> CallToolResult:
    """Answer in two forms that hold the same facts: some clients show a model only one of them."""
    return CallToolResult(content=[TextContent(type="text", text=said)], structured_content=record.compact())
