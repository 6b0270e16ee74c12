"""Where a reader of pages has come to, sealed so that no server has to remember it.

A cursor holds what was shown. Chats move up when somebody writes, so a place in the order alone would skip
or repeat them: the next page is, in the order of now, what the pages before did not hold. To stay short, a
cursor names only the first `MOST_NAMED` chats, which are the lively ones, and tells the others by the place.

It is bound to its user by the key, and to the call's other arguments by a digest.
"""

import base64
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from bitrix24_chat_mcp.portal.models import Chat

MOST_NAMED = 300
LIFETIME = timedelta(days=1)
_SEAL, _DIGEST, _MOMENT = 8, 3, 5  # bytes
_PREFIXES = ("", "chat", "sg", "crm")


class CursorError(ValueError):
    """A cursor that cannot be followed; the text is a sentence with the reason."""


@dataclass(frozen=True, slots=True)
class Place:
    """What earlier pages held: `begun` is the first page's moment, `reached` the oldest row's date."""

    begun: datetime
    reached: datetime
    named: frozenset[str]

    def holds(self, chat: Chat) -> bool:
        """Tell whether an earlier page had this chat."""
        if chat.dialog_id in self.named:
            return True
        unnamed = len(self.named) >= MOST_NAMED and chat.active_at is not None
        return unnamed and self.reached < _second(chat.active_at) <= self.begun

    def after(self, shown: Sequence[Chat]) -> "Place":
        """Return the place behind another page."""
        room = MOST_NAMED - len(self.named)
        dates = [_second(chat.active_at) for chat in shown if not chat.pinned]
        return Place(
            self.begun,
            min([self.reached, *dates]),
            self.named | {chat.dialog_id for chat in shown[: max(room, 0)]},
        )


def start(now: datetime) -> Place:
    """Return the place before the first page."""
    return Place(_second(now), _second(now), frozenset())


def seal(place: Place, arguments: str, key: bytes) -> str:
    """Write a place down for the caller."""
    moments = b"".join(_seconds(moment).to_bytes(_MOMENT, "big") for moment in (place.begun, place.reached))
    payload = _digest(arguments) + moments + bytes(_packed(place.named))
    return base64.urlsafe_b64encode(_sign(payload, key) + payload).decode().rstrip("=")


def unseal(cursor: str, arguments: str, key: bytes, now: datetime) -> Place:
    """Read a place that this server has written down for this user and these arguments."""
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise CursorError("is not a cursor of this server") from None
    signature, payload = sealed[:_SEAL], sealed[_SEAL:]
    if not hmac.compare_digest(signature, _sign(payload, key)):
        raise CursorError("is not a cursor that this server gave this user")
    if payload[:_DIGEST] != _digest(arguments):
        raise CursorError("belongs to a call with other arguments; repeat those, or leave cursor out")
    begun, reached = (
        datetime.fromtimestamp(int.from_bytes(payload[at : at + _MOMENT], "big"), now.tzinfo)
        for at in (_DIGEST, _DIGEST + _MOMENT)
    )
    if not now - LIFETIME <= begun <= now + LIFETIME:
        raise CursorError("is stale, more than a day old; leave cursor out to begin again")
    return Place(begun, reached, frozenset(_unpacked(payload[_DIGEST + 2 * _MOMENT :])))


def _sign(payload: bytes, key: bytes) -> bytes:
    return blake2b(payload, key=key, digest_size=_SEAL).digest()


def _digest(arguments: str) -> bytes:
    return blake2b(arguments.encode(), digest_size=_DIGEST).digest()


def _second(moment: datetime | None) -> datetime:
    return (moment or datetime.fromtimestamp(0).astimezone()).replace(microsecond=0)


def _seconds(moment: datetime) -> int:
    return max(0, int(moment.timestamp()))


def _packed(dialog_ids: Iterable[str]) -> Iterator[int]:
    """Write ids as the differences between their numbers, seven bits a byte: about a byte a chat."""
    before = 0
    for number in sorted(map(_number, dialog_ids)):
        difference, before = number - before, number
        while difference > 0x7F:  # noqa: PLR2004 - seven bits
            yield difference & 0x7F | 0x80
            difference >>= 7
        yield difference


def _unpacked(packed: bytes) -> Iterator[str]:
    number = shift = 0
    for byte in packed:
        number += (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield _PREFIXES[number % 4] + str(number // 4)
            shift = 0


def _number(dialog_id: str) -> int:
    digits = dialog_id.lstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits) * 4 + _PREFIXES.index(dialog_id[: len(dialog_id) - len(digits)])
