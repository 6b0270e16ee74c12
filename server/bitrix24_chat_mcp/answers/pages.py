"""A listing -> the page of it that an answer shows, with what it leaves out."""

from collections.abc import Sequence
from datetime import datetime

from bitrix24_chat_mcp.portal.models import Chat, Listing

from . import records

MOST_NAMED = 5
LONGEST_PREVIEW, USUAL_PREVIEW = 80, 48


def page(
    listing: Listing,
    *,
    offset: int,
    limit: int,
    link_base: str,
    as_of: datetime,
    notes: Sequence[str],
    portal: str,
) -> records.ChatList:
    """Cut a page out of a listing, and say of what it is a page.

    `link_base` is the portal's origin; `portal` labels an answer that is not a real portal's.
    """
    chats = listing.chats
    shown = chats[offset : offset + limit]
    rest = offset + len(shown) < len(chats)
    preview = _preview_length(shown)
    return records.ChatList(
        total=len(chats),
        shown=len(shown),
        next_offset=offset + len(shown) if rest else None,
        unread=sum(chat.unread for chat in chats),
        unread_chats=sum(1 for chat in chats if chat.unread),
        as_of=as_of.isoformat(timespec="seconds"),
        notes=[*notes, *_odd(listing.odd)],
        portal=portal,
        chats=[records.row(chat, link_base, preview, as_of.year) for chat in shown],
    )


def _preview_length(chats: Sequence[Chat]) -> int:
    """Return how long a preview may be: they share room, so that one long message costs no other its own."""
    lengths = [len(chat.message.text) for chat in chats]
    room = USUAL_PREVIEW * len(chats)
    fitting = (
        n for n in range(LONGEST_PREVIEW, USUAL_PREVIEW, -8) if sum(min(n, x) for x in lengths) <= room
    )
    return next(fitting, USUAL_PREVIEW)


def _odd(odd: list[str]) -> list[str]:
    if not odd:
        return []
    named = ", ".join(odd[:MOST_NAMED]) + (", …" if len(odd) > MOST_NAMED else "")
    return [f"left out as unreadable: {len(odd)} of the portal's items ({named})"]
