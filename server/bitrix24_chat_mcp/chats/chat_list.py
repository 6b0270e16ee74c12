"""The user's chat list as somebody wishes to see it: what the tool, the resources and the prompts share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bitrix24_chat_mcp.answers import records
from bitrix24_chat_mcp.answers.records import ChatList, ChatRow, Detail, RenderContext
from bitrix24_chat_mcp.portal.api.client import Flag, Portal
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError
from bitrix24_chat_mcp.portal.api.models import Listing
from bitrix24_chat_mcp.portal.transport.call_context import pop_notices
from bitrix24_chat_mcp.runtime.context import AppContext

from . import cursor, pagination
from .filters import EVERYTHING, ChatFilter, apply_filter

WINDOW, LOOKBACK = timedelta(days=30), timedelta(days=7)
"""How far `im.recent.get` looks back by itself, and at most when it is given a date."""
AT_ONCE = 30_000
"""Characters; nobody can write so many that take longer than 50 ms to clean."""
LONGEST = 400
"""Characters of the last message, where a single chat is looked at."""


@dataclass(frozen=True, slots=True)
class ChatQuery:
    """Which chats somebody wants to see, how much of each, and which page of them."""

    choice: ChatFilter = EVERYTHING
    detail: Detail = "normal"
    flags: tuple[Flag, ...] = ()
    since: datetime | None = None
    limit: int = 30
    cursor: str = ""

    @property
    def arguments(self) -> str:
        """What makes this list another list than other wishes': not how it is shown, nor how much of it."""
        since = self.since and self.since.astimezone(UTC).isoformat()
        return repr((self.choice.query, self.choice.show, sorted(set(self.choice.kinds)), self.flags, since))


async def list_chats(service: AppContext, wish: ChatQuery) -> ChatList:
    """Ask the portal, and return the page that is wished for."""
    portal = await service.portal()
    listing = await _listing(portal, wish)
    service.seen(portal).remember(listing.chats, whole=_all_pins(wish))
    now = listing.as_of or datetime.now(UTC)
    key, arguments = portal.credentials.signing_key(), wish.arguments
    page = partial(
        pagination.make_page,
        listing,
        wish.choice,
        pagination.PageRequest(wish.limit, _place(wish.cursor, arguments, key, now), arguments, key),
        RenderContext(portal.credentials.portal, now, wish.detail, {}),
        notes=[*_bounds(wish, now), *_told(listing)],
        portal=service.label,
    )
    return await service.aside(page) if wish.choice.query or _is_long(listing) else page()


def _is_long(listing: Listing) -> bool:
    """Tell whether its texts are so long that to clean a page of them would hold up other callers."""
    chats = listing.chats
    return sum(len(chat.title) + len(chat.message.text) + len(chat.author) for chat in chats) > AT_ONCE


def _told(listing: Listing) -> Iterable[str]:
    """Say how old a list is that was not asked for anew, and what the way to the portal has to tell."""
    if listing.age >= 1:
        yield f"{listing.age:.0f} s old"
    yield from pop_notices()


def _all_pins(wish: ChatQuery) -> bool:
    return wish.choice.show == "pinned" and wish.since is None and not wish.flags


async def _listing(portal: Portal, wish: ChatQuery) -> Listing:
    if wish.choice.show == "pinned" and wish.since is None:
        return await portal.recent_and_pinned(wish.flags)
    return await portal.recent(wish.flags, wish.since)


def _place(given: str, arguments: str, key: bytes, now: datetime) -> cursor.PagePosition:
    if not given:
        return cursor.start(now)
    try:
        return cursor.decode(given, arguments, key, now)
    except cursor.CursorError as error:
        raise InvalidRequestError(
            "INVALID_CURSOR", f"The cursor {error}.", "Leave cursor out for the first page."
        ) from None


def _bounds(wish: ChatQuery, now: datetime) -> Iterable[str]:
    """Say what the portal leaves out of such a list, as far as nobody can count it."""
    if "only_openlines" in wish.flags:
        yield "open lines only, skip filters and dates do not apply"
        return
    if wish.flags:
        yield f"{', '.join(wish.flags)} applied by the portal, uncounted"
    if wish.since is None:
        pins = " and all pinned" if wish.choice.show == "pinned" else ""
        yield f"active in the last {WINDOW.days} days{pins}"
    elif wish.since < now - LOOKBACK:
        yield f"changed in the last {LOOKBACK.days} days only, the portal looks no further back"
    else:
        yield "changes only, chats that left the list are not told"


async def get_chat(service: AppContext, dialog_id: str) -> ChatRow | None:
    """Return all that the list tells of one chat; None where it is neither recent nor pinned."""
    portal = await service.portal()
    listing = await portal.recent_and_pinned()
    now = listing.as_of or datetime.now(UTC)
    found = next((chat for chat in listing.chats if chat.dialog_id == dialog_id), None)
    return (
        records.row(found, RenderContext(portal.credentials.portal, now, "full", {}), LONGEST)
        if found
        else None
    )


async def suggest(service: AppContext, typed: str) -> list[str]:
    """Return the dialog ids of chats that somebody may mean who has typed so much of an id or a title."""
    listing = await (await service.portal()).recent()
    ids = [chat.dialog_id for chat in listing.chats if chat.dialog_id.startswith(typed.lower())]
    if ids:
        return ids
    found = await service.aside(partial(apply_filter, listing.chats, ChatFilter(typed), datetime.now(UTC)))
    return [chat.dialog_id for chat in found.chats]
