"""Whose credentials these are: what `profile` answers."""

from dataclasses import dataclass
from typing import Any

import msgspec

from .lenient_json import decode, user_number


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's number, and their name, which may be empty."""

    user: str
    name: str


class _Result(msgspec.Struct):
    ID: Any = ""
    NAME: Any = ""
    LAST_NAME: Any = ""


_results = msgspec.json.Decoder(_Result)


def read_profile(result: msgspec.Raw, _me: str) -> Profile:
    """Read a `profile` result; raise ValueError where it does not say whose it is."""
    found = decode(result, _results)
    names = [name for name in (found.NAME, found.LAST_NAME) if isinstance(name, str)]
    return Profile(user_number(found.ID), " ".join(names).strip())
