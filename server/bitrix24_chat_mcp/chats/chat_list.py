"""Listing: the user's chats for the tool, the resources, the prompts and completion."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

from bitrix24_chat_mcp.answers import records
from bitrix24_chat_mcp.answers.records import ChatList, ChatRow, RenderContext
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.models import Listing
from bitrix24_chat_mcp.portal.transport.call_context import pop_notices
from bitrix24_chat_mcp.runtime.context import AppContext

from .filters import apply_filter
from .pagination import make_page
from .query import ChatQuery

WINDOW, LOOKBACK = timedelta(days=30), timedelta(days=7)
"""How far `im.recent.get` looks back by itself, and at most when it is given a date."""
INLINE_CHARACTERS = 30_000
"""As many characters of foreign text take 50 ms to sanitize at worst; more of them do so in a thread."""
LONGEST_PREVIEW = 400
"""Characters of the last message, where one chat is read by itself."""


async def list_chats(context: AppContext, query: ChatQuery) -> ChatList:
    """Return the page of the chat list that the query asks for; raise PortalError."""
    portal = await context.portal()
    listing = await _fetch(portal, query)
    context.chats(portal.credentials).remember_list(listing, all_pins=_has_all_pins(query))
    now = listing.as_of or datetime.now(UTC)
    page = partial(
        make_page,
        listing,
        query,
        RenderContext(portal.credentials.portal, now, query.detail, {}),
        portal.credentials.signing_key(),
        notes=[*_bounds(query, now), *_notices(listing)],
        portal=context.label,
    )
    if query.text or _is_long(listing):
        return await context.run_in_thread(portal.credentials, page)
    return page()


async def get_chat(context: AppContext, dialog_id: str) -> ChatRow | None:
    """Return all that the list tells of one chat; None where it is neither recent nor pinned.

    The list has a workgroup's chat, `sgN`, as the `chatN` that it is.
    """
    portal = await context.portal()
    if dialog_id.startswith("sg"):
        dialog_id, _ = await portal.dialog(dialog_id)
    listing = await portal.recent_and_pinned()
    now = listing.as_of or datetime.now(UTC)
    render = RenderContext(portal.credentials.portal, now, "full", {})
    found = next((chat for chat in listing.chats if chat.dialog_id == dialog_id), None)
    return records.row(found, render, LONGEST_PREVIEW) if found else None


async def suggest(context: AppContext, typed: str) -> list[str]:
    """Return the dialog ids that begin with what was typed, or else those whose titles match it."""
    portal = await context.portal()
    chats = (await portal.recent()).chats
    ids = [chat.dialog_id for chat in chats if chat.dialog_id.startswith(typed.lower())]
    if ids:
        return ids
    search = partial(apply_filter, chats, ChatQuery(text=typed), datetime.now(UTC))
    found = await context.run_in_thread(portal.credentials, search)
    return [] if found.guess else [chat.dialog_id for chat in found.chats]


async def _fetch(portal: Portal, query: ChatQuery) -> Listing:
    if query.show == "pinned" and query.since is None:
        return await portal.recent_and_pinned(query.flags)
    return await portal.recent(query.flags, query.since)


def _has_all_pins(query: ChatQuery) -> bool:
    return query.show == "pinned" and query.since is None and not query.flags


def _is_long(listing: Listing) -> bool:
    """Tell whether sanitizing a page of its texts would hold up other callers."""
    chats = listing.chats
    characters = sum(len(chat.title) + len(chat.message.text) + len(chat.author) for chat in chats)
    return characters > INLINE_CHARACTERS


def _notices(listing: Listing) -> Iterable[str]:
    """Yield the cache's age and one-time notices of the pipeline."""
    if listing.age >= 1:
        yield f"{listing.age:.0f} s old"
    yield from pop_notices()


def _bounds(query: ChatQuery, now: datetime) -> Iterable[str]:
    """Say what the portal leaves out of such a list, and does not count."""
    if "only_openlines" in query.flags:
        yield "open lines only, skip filters and dates do not apply"
        return
    if query.flags:
        yield f"{', '.join(query.flags)} applied by the portal, uncounted"
    if query.since is None:
        # im.recent.list, which has the idle ones, has no task chats.
        pins = " and all pinned but idle task chats" if query.show == "pinned" else ""
        yield f"active in the last {WINDOW.days} days{pins}"
    elif query.since < now - LOOKBACK:
        yield f"changed in the last {LOOKBACK.days} days only, the portal looks no further back"
    else:
        yield "changes only, chats that left the list are not told"
