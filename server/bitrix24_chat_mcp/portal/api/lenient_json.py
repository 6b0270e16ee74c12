"""Decodes the portal's JSON, and repairs what a strict decoder would refuse a whole answer for."""

import json
import math
import re
from codecs import BOM_UTF8
from datetime import MAXYEAR, MINYEAR, datetime
from typing import TypeVar, cast

import msgspec

T = TypeVar("T")

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


def decode(body: bytes | memoryview | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode JSON; where that fails, repair it and decode again, more slowly.

    One message with half an emoji or a broken character must not cost the whole list. Raises
    `msgspec.ValidationError` for JSON of another shape, `msgspec.DecodeError` for anything else.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return decoder.decode(_repaired(bytes(body)))
    except msgspec.DecodeError:
        raise
    except (ValueError, RecursionError):
        raise msgspec.DecodeError("not JSON") from None


def text_begins(body: bytes | memoryview) -> bytes | memoryview:
    """Return a body from its first character on.

    A PHP file that was saved with a byte order mark sends it before every answer, once for each such file.
    """
    head = bytes(body[:_LONGEST_HEAD])
    return body[len(head) - len(head.lstrip(BOM_UTF8 + b" \t\r\n")) :]


def items(value: bytes | memoryview | msgspec.Raw) -> list[msgspec.Raw]:
    """Return the items of a list, or of an object whose names are numbers: PHP's list with gaps.

    Raises `msgspec.DecodeError` where it is neither.
    """
    found = decode(value, _containers)
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


def _repaired(body: bytes) -> bytes:
    """Rewrite JSON without damaged characters, lone surrogates and numbers out of range."""
    value = json.loads(
        body.decode("utf-8", "replace"),
        strict=False,  # control characters inside texts
        parse_int=lambda digits: int(digits) if len(digits) < _LONGEST_NUMBER else None,
        parse_float=lambda digits: number if math.isfinite(number := float(digits)) else None,
        parse_constant=lambda _: None,  # NaN and Infinity
    )
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
