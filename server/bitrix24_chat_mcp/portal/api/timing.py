"""The `time` of an answer: the portal's clock, and when operating time is forgotten."""

from datetime import datetime
from typing import Any, TypeGuard

import msgspec

from .lenient_json import moment

_END_OF_TIME = 10**11
"""Seconds since 1970; no portal's clock shows as many."""


class Time(msgspec.Struct):
    """The fields of `time` in use."""

    date_finish: Any = ""
    finish: Any = None
    operating_reset_at: Any = None


Timing = Time | list[Any] | bool | float | str | None
"""A `time` of any type: PHP encodes an empty object as a list."""


def clock(time: Timing) -> datetime | None:
    """Read the portal's clock."""
    return moment(time.date_finish) if isinstance(time, Time) else None


def resets_in(time: Timing) -> float | None:
    """Read how many seconds after an answer its method's operating time begins to be forgotten.

    Both moments are by the portal's clock, which may differ from this machine's, in whole seconds rounded
    down.
    """
    if not isinstance(time, Time):
        return None
    reset, finish = time.operating_reset_at, time.finish
    if not _is_moment(reset) or not _is_moment(finish):
        return None
    return max(0.0, reset + 1 - finish)


def _is_moment(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and 0 <= value < _END_OF_TIME
