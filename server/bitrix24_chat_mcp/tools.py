"""The tools: ask the portal, answer the model.

A PortalError passes through: `app` turns it into a tool error.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, TextContent
from pydantic import BeforeValidator, Field, WithJsonSchema

from .answers import pages, records, text
from .answers.records import ChatList, PinOutcome, Record
from .portal import rest
from .portal.client import MOST_PINS, Portal
from .portal.errors import PortalError, UnusableRequestError
from .service import Service

WINDOW_DAYS, LOOKBACK_DAYS = 30, 7
"""How far `im.recent.get` looks back by itself, and at most when it is given a date."""


_ISO = "must be an ISO 8601 date and time with an offset, such as 2026-02-25T18:30:00+03:00"


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
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
    return rest.dialog_id("" if isinstance(value, bool) else str(value))


Moment = Annotated[
    datetime | None,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
DialogId = Annotated[str, BeforeValidator(_dialog_id), Field(description="chat123, sg12 or a user's number")]


async def list_recent_chats(  # noqa: PLR0913 - the documented parameters, flat
    ctx: Context[Service],
    *,
    skip_openlines: Annotated[bool, Field(description="leave out open-line (client) chats")] = False,
    skip_chat: Annotated[bool, Field(description="leave out group chats")] = False,
    skip_dialog: Annotated[bool, Field(description="leave out people and bots")] = False,
    only_openlines: Annotated[
        bool, Field(description="only open-line chats; other filters are void")
    ] = False,
    last_update: Annotated[Moment, Field(description="same as last_sync_date; give one")] = None,
    last_sync_date: Annotated[
        Moment, Field(description="only chats changed since, 7 days back at most")
    ] = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 30,
    offset: Annotated[int, Field(ge=0, description="next_offset of the page before")] = 0,
) -> Annotated[CallToolResult, ChatList]:
    """List the recent chats; the model reads prompts/tools/list_recent_chats.md."""
    if last_update and last_sync_date:
        raise UnusableRequestError(
            "INVALID_ARGUMENT",
            "last_update and last_sync_date are one filter: the portal lets the first overwrite the second.",
            "Give only last_sync_date.",
        )
    since = last_sync_date or last_update
    service = ctx.request_context.lifespan_context
    portal = service.portal()
    listing = await portal.recent(
        skip_openlines=skip_openlines,
        skip_chat=skip_chat,
        skip_dialog=skip_dialog,
        only_openlines=only_openlines,
        since=since,
    )
    service.seen(portal).remember(listing.chats)
    now = listing.as_of or datetime.now(UTC)
    found = pages.page(
        listing,
        offset=offset,
        limit=limit,
        link_base=portal.credentials.portal,
        as_of=now,
        notes=_bounds(now, since, only_openlines=only_openlines),
        portal=service.label,
    )
    return _answer(found, text.chat_list(found))


async def pin_chat(
    ctx: Context[Service],
    dialog_id: DialogId,
    *,
    pin: Annotated[bool, Field(description="false unpins")] = True,
) -> Annotated[CallToolResult, PinOutcome]:
    """Pin or unpin a chat; the model reads prompts/tools/pin_chat.md."""
    service = ctx.request_context.lifespan_context
    portal = service.portal()
    if dialog_id.startswith("sg"):  # the portal says true to sgN, and pins nothing
        dialog_id = await portal.dialog_of(dialog_id)
    if not await portal.pin(dialog_id, pin=pin):
        raise await _why_not(portal, pin=pin)
    seen = service.seen(portal)
    changed = seen.set_pinned(dialog_id, pinned=pin)
    chat = seen.chat(dialog_id)
    outcome = PinOutcome(
        dialog_id=dialog_id,
        title=records.title(chat) if chat else "",
        pinned=pin,
        changed=changed,
        portal=service.label,
    )
    return _answer(outcome, text.pin_outcome(outcome))


async def _why_not(portal: Portal, *, pin: bool) -> PortalError:
    """Find out why the portal said false: it does so at the limit, and to strangers of a chat."""
    if pin and len(await portal.pinned()) >= MOST_PINS:
        return UnusableRequestError(
            "PIN_LIMIT",
            f"{MOST_PINS} chats are pinned already, and Bitrix24 pins no more.",
            "Unpin a chat first: pin_chat with pin=false.",
        )
    return UnusableRequestError(
        "NOT_PINNED" if pin else "NOT_UNPINNED",
        "The portal did nothing: the user has no relation to this chat.",
        "Take a dialog_id from list_recent_chats.",
    )


def _bounds(now: datetime, since: datetime | None, *, only_openlines: bool) -> list[str]:
    """Say what the portal leaves out of such a list."""
    if only_openlines:
        return ["open lines only, other filters do not apply"]
    if since is None:
        return [f"active in the last {WINDOW_DAYS} days"]
    if since < now - timedelta(days=LOOKBACK_DAYS):
        return [f"changed in the last {LOOKBACK_DAYS} days only, the portal looks no further back"]
    return [f"changed since {since.isoformat(timespec='seconds')}, chats that left the list are not told"]


def _answer(record: Record, said: str) -> CallToolResult:
    """Answer in two forms that hold the same facts: some clients show a model only one of them."""
    return CallToolResult(content=[TextContent(type="text", text=said)], structured_content=record.compact())
