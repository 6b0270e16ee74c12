"""A listing -> the page of it that an answer shows, with what it leaves out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bitrix24_chat_mcp.portal.models import Chat, Listing

from . import cursor, room
from .choice import Choice, Chosen, choose
from .records import ChatList, ChatRow, Look, odd_name, row

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a choice is wanted: `limit` rows behind `place`, for the owner of `key`."""

    limit: int
    place: cursor.Place
    arguments: str
    key: bytes

    def next_cursor(self, shown: Sequence[Chat], now: datetime) -> str:
        """Return the cursor of the page behind these rows."""
        return cursor.seal(self.place.after(shown, now), self.arguments, self.key)


def make(
    listing: Listing, choice: Choice, page: Page, look: Look, *, notes: Sequence[str] = (), portal: str = ""
) -> ChatList:
    """Cut a page out of a listing, and say of what it is a page; `portal` labels what is not a real one's."""
    chats = listing.chats
    chosen = choose(chats, choice, look.now)
    left = page.place.ahead(chosen.chats, look.now)
    wanted = left[: page.place.most(page.limit)]
    rows, shortened = _rows(wanted, look._replace(why=chosen.why), len(page.next_cursor(wanted, look.now)))
    return ChatList(
        total=len(chats),
        matching=_matching(chosen, len(chats)),
        shown=len(rows),
        unread=sum(chat.unread for chat in chats),
        unread_chats=sum(1 for chat in chats if chat.unread),
        as_of=look.now.isoformat(timespec="seconds"),
        hidden=chosen.hidden,
        notes=[
            *([chosen.guess] if chosen.guess else []),
            *notes,
            *_shortened(shortened, len(wanted) - len(rows)),
            *_flood(chosen.chats, choice),
            *_odd(listing.odd),
        ],
        portal=portal,
        chats=rows,
        next_cursor=page.next_cursor(wanted[: len(rows)], look.now) if len(rows) < len(left) else "",
    )


def _matching(chosen: Chosen, total: int) -> int | None:
    """Count the chats that match, if fewer than all; those that are a guess do not."""
    if chosen.guess:
        return 0
    return len(chosen.chats) if len(chosen.chats) < total else None


def _rows(chats: Sequence[Chat], look: Look, taken: int) -> tuple[list[ChatRow], bool]:
    """Return the rows that fit, and whether they had to be shortened to fit."""
    usual = room.preview_length([len(chat.message.text) for chat in chats])
    return room.fit([row(chat, look, usual) for chat in chats], taken)


def _shortened(shortened: bool, dropped: int) -> list[str]:  # noqa: FBT001
    if not shortened:
        return []
    said = "previews shortened for room"
    return [f"{said}, the last {dropped} rows of this page left to the next" if dropped else said]


def _flood(chats: Sequence[Chat], choice: Choice) -> list[str]:
    """Say how many are task chats and bots, when they outnumber the rest and nobody asked for them."""
    tally = Counter(chat.kind for chat in chats)
    if choice.kinds or (tally["task"] + tally["bot"]) * 2 <= len(chats):
        return []
    return [f"task chats ({tally['task']}) and bots ({tally['bot']}) outnumber the rest"]


def _odd(odd: Sequence[str]) -> list[str]:
    if not odd:
        return []
    named = ", ".join(map(odd_name, odd[:MOST_NAMED])) + (", …" if len(odd) > MOST_NAMED else "")
    return [f"items left out as unreadable: {len(odd)} ({named})"]
