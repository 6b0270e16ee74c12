"""Cursors: where a reader of pages has come to, signed, so that no server has to remember it.

A cursor names the chats that were shown. Chats move up when a message comes, so an index alone would skip or
repeat them: the next page is, in the present order, what the pages before did not show.

To stay short, it names no more than `MOST_NAMED` chats. A reader who goes on sweeps the rest from the newest
date to the oldest, whatever the order before, and comes last to what moved up meanwhile: that may be shown
again, but nothing is skipped.

It is bound to its user by the key, and to the query by a digest.
"""

import base64
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b

from bitrix24_chat_mcp.portal.api.models import Chat

MOST_NAMED = 300
LIFETIME = timedelta(days=1)
_SIGNATURE, _DIGEST = 8, 3  # bytes
_PREFIXES = ("", "chat", "sg", "crm")


class CursorError(ValueError):
    """A cursor that cannot be followed; the text completes the sentence that begins with "The cursor"."""


@dataclass(frozen=True, slots=True)
class PagePosition:
    """What earlier pages showed: the chats `named`, and those that a sweep has passed.

    `at` is when the cursor was given or the sweep begun, in seconds. A sweep goes through the chats of
    `since` to `at`, down from the key `reached`; `named` is full then.
    """

    at: int
    named: frozenset[str] = frozenset()
    since: int = 0
    reached: tuple[int, int] = (0, 0)

    @property
    def _sweeps(self) -> bool:
        return len(self.named) >= MOST_NAMED

    def remaining(self, chats: Sequence[Chat], now: datetime) -> list[Chat]:
        """Return the chats that were not shown yet, in the order in which they will be."""
        unnamed = [chat for chat in chats if chat.dialog_id not in self.named]
        if not self._sweeps:
            return unnamed
        keys = {chat.dialog_id: _key(chat, now) for chat in unnamed}
        unnamed.sort(key=lambda chat: keys[chat.dialog_id], reverse=True)
        end = min(self.reached, (self.at, 0))
        below = [chat for chat in unnamed if (self.since, 0) <= keys[chat.dialog_id] < end]
        moved = [chat for chat in unnamed if (self.at, 0) <= keys[chat.dialog_id]]
        return below + moved

    def page_size(self, limit: int) -> int:
        """Return how many rows the next page may have: names and sweep do not mix in one."""
        return limit if self._sweeps else min(limit, MOST_NAMED - len(self.named))

    def advance(self, shown: Sequence[Chat], now: datetime) -> "PagePosition":
        """Return the position after another page."""
        second = int(now.timestamp())
        if not shown:
            return self
        if not self._sweeps:
            named = self.named | {chat.dialog_id for chat in shown}
            return PagePosition(second, named, reached=(second, 0) if len(named) >= MOST_NAMED else (0, 0))
        reached = _key(shown[-1], now)
        if reached < (self.at, 0):
            return replace(self, reached=reached)
        return PagePosition(second, self.named, self.at, reached)


def start(now: datetime) -> PagePosition:
    """Return the position before the first page."""
    return PagePosition(int(now.timestamp()))


def encode(position: PagePosition, query: str, key: bytes) -> str:
    """Return the signed cursor of a position; `query` is the identity of the query that it belongs to."""
    numbers = (position.at, position.since, *position.reached, *_differences(map(_number, position.named)))
    payload = _digest(query) + bytes(byte for number in numbers for byte in _packed(number))
    return base64.urlsafe_b64encode(_sign(payload, key) + payload).decode().rstrip("=")


def decode(cursor: str, query: str, key: bytes, now: datetime) -> PagePosition:
    """Return the position of a cursor of this user and this query; raise CursorError."""
    try:
        signed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise CursorError("is not a cursor of this server") from None
    signature, payload = signed[:_SIGNATURE], signed[_SIGNATURE:]
    if not hmac.compare_digest(signature, _sign(payload, key)):
        raise CursorError("is not a cursor that this server gave this user")
    if payload[:_DIGEST] != _digest(query):
        raise CursorError("belongs to a call with other arguments")
    at, since, second, number, *differences = _unpacked(payload[_DIGEST:])
    if abs(now.timestamp() - at) > LIFETIME.total_seconds():
        raise CursorError("is stale, more than a day old")
    return PagePosition(at, frozenset(_named(differences)), since, (second, number))


def _key(chat: Chat, now: datetime) -> tuple[int, int]:
    """Return a chat's place in a sweep; a chat without a date, or with a future one, comes last."""
    at = int(chat.active_at.timestamp()) if chat.active_at and chat.active_at <= now else 0
    return max(at, 0), _number(chat.dialog_id)


@lru_cache(maxsize=10_000)
def _number(dialog_id: str) -> int:
    digits = dialog_id.lstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits) * len(_PREFIXES) + _PREFIXES.index(dialog_id[: len(dialog_id) - len(digits)])


def _differences(numbers: Iterable[int]) -> Iterator[int]:
    """Ids lie close together, so their differences are short: about a byte a chat."""
    before = 0
    for number in sorted(numbers):
        yield number - before
        before = number


def _named(differences: Iterable[int]) -> Iterator[str]:
    number = 0
    for difference in differences:
        number += difference
        digits, prefix = divmod(number, len(_PREFIXES))
        yield f"{_PREFIXES[prefix]}{digits}"


def _packed(number: int) -> Iterator[int]:
    """Write a number with seven bits a byte, the lowest first; the eighth says that more follow."""
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        yield number & 0x7F | 0x80
        number >>= 7
    yield number


def _unpacked(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield number
            number = shift = 0


def _sign(payload: bytes, key: bytes) -> bytes:
    return blake2b(payload, key=key, digest_size=_SIGNATURE).digest()


def _digest(query: str) -> bytes:
    return blake2b(query.encode(), digest_size=_DIGEST).digest()
