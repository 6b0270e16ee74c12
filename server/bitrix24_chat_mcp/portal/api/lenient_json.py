"""Decodes the portal's JSON, and repairs what a strict decoder would refuse a whole answer for.

A decoder runs to its end before any other thread does, and a portal may send megabytes of tiny values. So an
answer is taken apart without reading its parts, and each part is bounded before it is read.
"""

import json
import math
import re
from codecs import BOM_UTF8, getincrementaldecoder
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TypeVar, cast

import msgspec

T = TypeVar("T")
Json = bytes | memoryview | msgspec.Raw

MOST_OF_A_PART = 256 * 1024
"""Bytes of a part that is read: one row, one message, one error."""
MOST_VALUES = 750_000
"""Values of a whole answer, by `weight`: those of 8,000 chats, which are taken apart in 50 ms."""
MOST_ROWS = 10_000
_MOST_OF_AN_OBJECT = 300_000
"""Values of a list that PHP has written as an object, which takes three times as long to take apart."""
_MOST_REPAIRED = 16 * 1024 * 1024
_MOST_REPAIRED_LISTS = 100_000
"""Only at an object or a number do other threads run while the standard library decodes."""
_MOST_DAMAGES = 100_000
_PIECE = 1024 * 1024
_MOST_AT_ONCE = 10_000
"""Values that are read in the event loop: some hundred chats."""

_USER = re.compile(r"[1-9][0-9]{0,11}")
_LONGEST_NUMBER = 25
"""Characters; no id, count or moment of a portal has as many."""
_LARGEST = 10**12
"""No id and no count of a portal is as large."""
_LONGEST_HEAD = 256
"""Bytes before the first character of an answer, at most."""
_containers: msgspec.json.Decoder[list[msgspec.Raw] | dict[int, msgspec.Raw]] = msgspec.json.Decoder(
    list[msgspec.Raw] | dict[int, msgspec.Raw]
)


def decode(body: Json, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a part of an answer; where that fails, repair it and decode again, more slowly.

    Raises `msgspec.ValidationError` for JSON of another shape, `msgspec.DecodeError` for anything else, and
    for more than MOST_OF_A_PART.
    """
    if len(memoryview(body)) > MOST_OF_A_PART:
        raise msgspec.DecodeError("too large")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_repaired(body, decoder)


def take_apart(body: Json, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode JSON of any size whose parts stay raw; where it is damaged, repair it first, as `decode` does.

    One message with half an emoji or a broken character must not cost the whole list.
    """
    if not begins(body):  # of a long number or text it would take long to tell
        raise msgspec.ValidationError("neither an object nor a list")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_repaired(body, decoder)


def begins(body: Json) -> bool:
    """Tell whether JSON begins as an object or a list."""
    return bytes(memoryview(body)[:256]).lstrip().startswith((b"{", b"["))


def values(body: bytes | bytearray) -> int:
    """Return how many values a piece of JSON holds at most, in a fraction of the time of decoding it."""
    return len(body) - len(body.translate(None, b",[{"))


def weight(body: bytes) -> int:
    """Return what it costs to take a piece of an answer apart, in values; a bracket alone costs a quarter."""
    commas = body.count(b",")
    return commas + (values(body) - commas) // 4


def is_costly(body: Json) -> bool:
    """Tell whether reading an answer would hold up others."""
    size = len(memoryview(body))
    return size > MOST_OF_A_PART or (size > _MOST_AT_ONCE and values(bytes(body)) > _MOST_AT_ONCE)


def text_begins(body: bytes | memoryview) -> bytes | memoryview:
    """Return a body from its first character on.

    A PHP file that was saved with a byte order mark sends it before every answer, once for each such file.
    """
    head = bytes(body[:_LONGEST_HEAD])
    return body[len(head) - len(head.lstrip(BOM_UTF8 + b" \t\r\n")) :]


def items(value: Json) -> list[msgspec.Raw]:
    """Return the items of a list, or of an object whose names are numbers: PHP's list with gaps.

    Raises `msgspec.DecodeError` where it is neither, and for more than MOST_ROWS.
    """
    if bytes(memoryview(value)[:1]) == b"{" and values(bytes(value)) > _MOST_OF_AN_OBJECT:
        raise msgspec.DecodeError("too many")
    found = take_apart(value, _containers)
    if len(found) > MOST_ROWS:
        raise msgspec.DecodeError("too many")
    return list(found.values()) if isinstance(found, dict) else found


def whole(value: object) -> object:
    """Return a number without a fraction as an integer, and all else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def user_number(value: object) -> str:
    """Return a user's number as text; raise ValueError for anything else, as it tells users apart."""
    text = str(value) if isinstance(value, str | int) else ""
    if not _USER.fullmatch(text):
        raise ValueError("not a user's number")
    return text


def moment(value: object) -> datetime | None:
    """Parse a date; return None without an offset, or outside the years of every time zone."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read if read and read.tzinfo and MINYEAR < read.year < MAXYEAR else None


def text(value: object) -> str:
    """Read a text; empty where it is none."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int | None:
    """Read an id, a count or a status; None where it is none."""
    value = whole(value)
    if isinstance(value, str) and value.isdecimal():
        value = int(value[:20])
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else None


def count(value: object) -> int:
    """Read an id or a count; 0 where it is none."""
    return number(value) or 0


def flag(value: object) -> bool:
    """Read a yes as the portal may write it."""
    return value is True or value in ("Y", 1, "1")


def elements(value: object) -> list[object]:
    """Read a list, or the keys of an object, which PHP writes for one another; empty where it is neither."""
    return list(cast("list[object] | dict[str, object]", value)) if isinstance(value, list | dict) else []


def _decode_repaired(body: Json, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(_repaired(body))
    except msgspec.DecodeError:
        raise
    except (ValueError, RecursionError):
        raise msgspec.DecodeError("not JSON") from None


def _repaired(body: Json) -> msgspec.Raw:
    """Rewrite JSON without damaged characters, lone surrogates and numbers out of range."""
    damaged = bytes(memoryview(body)[: _MOST_REPAIRED + 1])
    if len(damaged) > _MOST_REPAIRED or damaged.count(b"[") > _MOST_REPAIRED_LISTS:
        raise ValueError("too large")
    decoder = getincrementaldecoder("utf-8")("replace")
    pieces = [decoder.decode(damaged[at : at + _PIECE]) for at in range(0, len(damaged), _PIECE)]
    characters = "".join(pieces)
    if characters.count("\ufffd") > _MOST_DAMAGES:
        raise ValueError("no text")
    value = json.loads(
        characters,
        object_hook=_written,  # at once, so that nothing large has to be collected in the end
        parse_int=lambda digits: int(digits) if len(digits) < _LONGEST_NUMBER else None,
        parse_float=lambda digits: number if math.isfinite(number := float(digits)) else None,
        parse_constant=lambda _: None,  # NaN and Infinity
        strict=False,  # control characters inside texts
    )
    return _written(value)


def _written(value: object) -> msgspec.Raw:
    try:
        return msgspec.Raw(msgspec.json.encode(value))
    except UnicodeEncodeError:
        return msgspec.Raw(msgspec.json.encode(_without_surrogates(value)))


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return list(map(_without_surrogates, cast("list[object]", value)))
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {_without_surrogates(key): _without_surrogates(item) for key, item in items}
    return value
