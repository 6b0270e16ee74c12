"""Pinning and unpinning a chat."""

from contextlib import suppress
from typing import Literal

from bitrix24_chat_mcp.answers import records
from bitrix24_chat_mcp.answers.records import PinOutcome, Undo
from bitrix24_chat_mcp.portal.api.client import MOST_PINS, MOST_PINS_BEFORE_2026, Portal
from bitrix24_chat_mcp.portal.api.errors import InvalidRequestError, PortalError
from bitrix24_chat_mcp.portal.api.models import Chat
from bitrix24_chat_mcp.portal.transport.call_context import pop_notices
from bitrix24_chat_mcp.runtime.chat_cache import ChatCache
from bitrix24_chat_mcp.runtime.context import AppContext


async def pin_chat(context: AppContext, dialog_id: str, *, pinned: bool) -> PinOutcome:
    """Pin or unpin a chat, and tell what that changed; raise PortalError."""
    portal = await context.portal()
    cache = context.chats(portal.credentials)
    if dialog_id.startswith("sg"):  # the portal says true to sgN, and pins nothing
        dialog_id, _ = await _resolve(portal, cache, dialog_id)
    if cache.is_pinned(dialog_id) is pinned:  # as far as is known: the user has other clients, too
        await _look_again(portal, cache, dialog_id)
    if await portal.pin(dialog_id, pin=pinned):
        changed = cache.set_pinned(dialog_id, pinned=pinned)
    else:
        changed = await _explain_refusal(portal, cache, dialog_id, pinned=pinned)
    title = await _title(portal, cache, dialog_id)
    return PinOutcome(
        dialog_id=dialog_id,
        title=records.heading(dialog_id, title) if title is not None else "",
        pinned=pinned,
        changed=changed,
        pins=cache.pin_count(),
        notes=pop_notices(),
        undo=None if changed is False else Undo(dialog_id=dialog_id, pin=not pinned),
        portal=context.label,
    )


async def _title(portal: Portal, cache: ChatCache, dialog_id: str) -> str | None:
    """Return the chat's title, None where it cannot be had: the pin itself is done."""
    title = cache.title(dialog_id)
    if title is None:
        with suppress(PortalError):
            title = await _ask_title(portal, cache, dialog_id)
    return title


async def _ask_title(portal: Portal, cache: ChatCache, dialog_id: str) -> str | None:
    if not dialog_id.isdigit():
        return (await _resolve(portal, cache, dialog_id))[1]
    # im.dialog.get has no name for a person, but a person who was just pinned or unpinned is listed.
    listing = await portal.recent()
    cache.remember_list(listing, all_pins=False)
    return next((chat.title for chat in listing.chats if chat.dialog_id == dialog_id), None)


async def _resolve(portal: Portal, cache: ChatCache, dialog_id: str) -> tuple[str, str]:
    """Ask the portal which chat a dialog id means, and for its title; remember the title."""
    found, title = await portal.dialog(dialog_id)
    cache.remember_title(found, title)
    return found, title


async def _look_again(portal: Portal, cache: ChatCache, dialog_id: str) -> list[Chat]:
    """Learn anew which chats are pinned, and return all that are listed; any other is not pinned."""
    listing = await portal.recent_and_pinned()
    cache.set_pinned(dialog_id, pinned=False)
    cache.remember_list(listing, all_pins=True)
    return listing.chats


async def _explain_refusal(
    portal: Portal, cache: ChatCache, dialog_id: str, *, pinned: bool
) -> Literal[False]:
    """Raise the reason why the portal said false; return that nothing changed where the chat is pinned.

    It says so at its limit, even of a chat that is pinned, and older portals where the user is no member. A
    chat that is listed tells the limit from the latter: not all pins are seen, and older portals pin fewer.
    """
    chats = await _look_again(portal, cache, dialog_id) if pinned else []
    pins = {chat.dialog_id for chat in chats if chat.pinned}
    if dialog_id in pins:
        return False
    listed = any(chat.dialog_id == dialog_id for chat in chats)
    if len(pins) >= (MOST_PINS_BEFORE_2026 if listed else MOST_PINS):
        raise InvalidRequestError(
            "PIN_LIMIT",
            f"{len(pins)} chats are pinned already, and Bitrix24 pins no more.",
            "Unpin a chat first: pin_chat with pin=false.",
        )
    raise InvalidRequestError(
        "NOT_PINNED" if pinned else "NOT_UNPINNED",
        "The portal did nothing and gave no reason; it does so where the user has no relation to the chat.",
        "Take a dialog_id from list_recent_chats.",
    )
