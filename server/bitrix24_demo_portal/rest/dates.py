"""Dates as the portal reads and writes them, with the server's offset."""

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    r"(?P<Y>\d{4})(?:-(?P<m>\d{1,2})(?:-(?P<d>\d{1,2})"
    r"(?:T(?P<H>\d{1,2})(?::(?P<i>\d{1,2})(?::(?P<s>\d{1,2})(?P<rest>[^\d\s].*)?)?)?)?)?)?",
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def parse(text: str, zone: timezone) -> float | None:
    """Return unix seconds; None for what PHP cannot read, which Bitrix24 ignores.

    Only a numeric offset right after the seconds counts; `Z`, zone names and everything after a fraction
    are dropped, which leaves the server's own time. Parts that are too large roll over.
    """
    found = _DATE.fullmatch(text.rstrip())
    if not found:
        return None
    year, month, day = int(found["Y"]), int(found["m"] or 1), int(found["d"] or 1)
    clock = timedelta(
        days=day - 1,
        hours=int(found["H"] or 0),
        minutes=int(found["i"] or 0),
        seconds=int(found["s"] or 0),
    )
    try:
        local = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC) + clock
    except (ValueError, OverflowError):
        return None
    return local.timestamp() - _offset(found["rest"] or "", zone)


def _offset(rest: str, zone: timezone) -> float:
    found = _OFFSET.fullmatch(rest)
    if not found:
        return zone.utcoffset(None).total_seconds()
    seconds = int(found[2]) * 3600 + int(found[3]) * 60
    return -seconds if found[1] == "-" else seconds


def iso(seconds: float, zone: timezone) -> str:
    """Write a date as `2026-02-25T18:30:00+03:00`: no fraction, a numeric offset."""
    return datetime.fromtimestamp(int(seconds), zone).isoformat()
