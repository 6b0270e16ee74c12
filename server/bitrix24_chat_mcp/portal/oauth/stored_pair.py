"""A user's tokens as the store holds them: with a note of a refresh that was begun and has not ended."""

import time
from dataclasses import dataclass, replace

import msgspec

from .application import TokenPair

_DOUBT = 300.0
"""Seconds for which the server that began a refresh may still bring its outcome: it may be frozen."""


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A pair, its generation in the store, and the Unix time at which a refresh of it began, or 0."""

    pair: TokenPair
    generation: int
    refresh_began: float = 0.0

    def begin_refresh(self) -> "StoredPair":
        """Return it with a note of the first refresh that began, unless that is long ago."""
        return self if self.in_doubt() else replace(self, refresh_began=time.time())

    def in_doubt(self) -> bool:
        """Tell whether a refresh that began may have replaced the pair without storing the next one."""
        return time.time() - self.refresh_began < _DOUBT

    def text(self) -> str:
        """Return what the store holds."""
        note = {"refresh_began": self.refresh_began} if self.refresh_began else {}
        return msgspec.json.encode(msgspec.to_builtins(self.pair) | note).decode()


class _Note(msgspec.Struct):
    refresh_began: float = 0.0


def read_stored_pair(text: str, generation: int) -> StoredPair | None:
    """Read what the store holds; None for anything else."""
    try:
        pair = msgspec.json.decode(text, type=TokenPair)
        return StoredPair(pair, generation, msgspec.json.decode(text, type=_Note).refresh_began)
    except msgspec.DecodeError:
        return None
