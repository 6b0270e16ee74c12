"""Bounds what strangers can make this server ask of Bitrix24: by the network that they call from."""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol
from weakref import WeakValueDictionary

from anyio import current_time
from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.errors import ApiError, InvalidRequestError

MOST_REFUSALS = 10
"""Refused attempts after which a network has to pause for a minute."""
PATIENCE = 10.0
"""Seconds that an attempt may take."""
_REFUSAL_SECONDS = 60.0
_MOST_CONCURRENT = 4
_MOST_TOGETHER = 8
"""Of all networks: however many there are, their attempts take little of the portal's rate limit."""
_MOST_NETWORKS = 10_000


class Refusals(Protocol):
    """Counts refused attempts at all servers of a portal."""

    async def count(self, network: str) -> int:
        """Return how many there were from a network lately."""
        ...

    async def add(self, network: str) -> None:
        """Count one."""
        ...


class AttemptLimiter:
    """Counts attempts and refusals. `refused` and `late` are the sentences for too many and too slow.

    `everywhere`, where given, are the refusals of all servers; attempts under way are bounded at each.
    """

    def __init__(self, *, refused: str, late: str, everywhere: Refusals | None = None) -> None:
        self._refused = refused
        self._late = late
        self._everywhere = everywhere
        self._refusals: TTLCache[str, int] = TTLCache(_MOST_NETWORKS, _REFUSAL_SECONDS, current_time)
        self._all = asyncio.Semaphore(_MOST_TOGETHER)
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, address: str) -> AsyncGenerator[None]:
        """Let one attempt from an address run; raise InvalidRequestError if there are too many.

        An ApiError that is not transient counts as a refusal.
        """
        caller = network(address)
        slots = self._slots.setdefault(caller, asyncio.Semaphore(_MOST_CONCURRENT))
        try:
            async with asyncio.timeout(PATIENCE), slots, self._all:
                if await self._count(caller) >= MOST_REFUSALS:
                    raise _try_later(self._refused)
                yield
        except TimeoutError:
            raise _try_later(self._late) from None
        except ApiError as error:
            if not error.transient:
                await self._add(caller)
            raise

    async def _count(self, caller: str) -> int:
        own = self._refusals.get(caller, 0)
        return max(own, await self._everywhere.count(caller)) if self._everywhere else own

    async def _add(self, caller: str) -> None:
        self._refusals[caller] = self._refusals.get(caller, 0) + 1
        if self._everywhere:
            await self._everywhere.add(caller)


def network(address: str) -> str:
    """Return an IPv4 address as it is, and the /64 network of an IPv6 address: one caller has all of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))  # noqa: PLR2004


def _try_later(meaning: str) -> InvalidRequestError:
    return InvalidRequestError("NOT_VERIFIED", meaning, "Try again in a minute.")
