"""The portal's rate limit, kept on this side so that the portal never has to refuse a request.

Bitrix24 documents a leaky bucket for each portal and client address. It counts a request when it arrives,
this server when it is sent, and requests may bunch up on the way. So requests under way do not drain: the
level here is never below their number, and never below the level that the portal sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import anyio

from bitrix24_chat_mcp.portal.api.credentials import Credentials

_DRIFT = 0.99
"""The portal's clock may run slower than this server's, by far less than one percent."""
_SHORTEST_WAIT = 0.001
"""Seconds; a wait that is shorter by rounding would be taken for a place."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The caller whose request may leave now; while there is None, the seconds after which to ask again."""

    caller: Credentials | None
    wait: float = 0.0


class RateLimiter(Protocol):
    """Grants places for requests to one portal; implementations may keep their state in another process."""

    @property
    def idle(self) -> bool:
        """Whether no request of this process is under way."""
        ...

    @property
    def level(self) -> int:
        """How many requests the bucket holds, as far as this process knows."""
        ...

    async def try_acquire(self, callers: Sequence[Credentials]) -> Turn:
        """Take a place for a request of one of `callers`, who wait here; the first came first.

        When a place was granted, `release` must be called when the request is over.
        """
        ...

    async def release(self) -> None:
        """Note that a request was answered or has failed."""
        ...

    async def exhaust(self) -> None:
        """Use up all places: the portal refused a request, so others at this address filled its bucket."""
        ...


class LeakyBucket:
    """A bucket in this process's memory that drains `rate` requests a second and holds `burst`."""

    def __init__(self, rate: float, burst: int) -> None:
        # A second's drain stays unused, for a portal that drains once a second, and one place for rounding.
        self._capacity = max(1, burst - ceil(rate) - 1)
        self._rate = rate * _DRIFT
        self._level = 0.0
        self._drained_at = 0.0
        self._under_way = 0

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return not self._under_way

    @property
    def level(self) -> int:
        """How many requests the bucket holds."""
        self._drain()
        return ceil(self._level)

    async def try_acquire(self, callers: Sequence[Credentials]) -> Turn:
        """Take a place for the first of the callers, or return the seconds to wait."""
        self._drain()
        excess = self._level + 1 - self._capacity
        if excess > 0:
            return Turn(None, max(excess / self._rate, _SHORTEST_WAIT))
        self._level += 1
        self._under_way += 1
        return Turn(callers[0])

    async def release(self) -> None:
        """Let the place of a request that is over drain."""
        self._drain()
        self._under_way -= 1

    async def exhaust(self) -> None:
        """Fill the bucket."""
        self._drain()
        self._level = max(self._level, self._capacity)

    def set_rate(self, rate: float) -> None:
        """Drain so many requests a second from now on."""
        self._drain()
        self._rate = rate * _DRIFT

    def _drain(self) -> None:
        now = anyio.current_time()
        self._level = max(self._under_way, self._level - (now - self._drained_at) * self._rate)
        self._drained_at = now
