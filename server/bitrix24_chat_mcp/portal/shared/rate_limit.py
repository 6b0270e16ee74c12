"""The portal's rate limit, kept by several servers together.

The bucket lies in the engine, and only the engine's clock counts. Servers that wait for a place form a
queue, so all get the same number. A place is a lease: that of a server which was killed ends by itself.

Without the engine a server goes on with a bucket of its own that begins full and drains half of its share.
The others may not know of that, so the shared bucket leaves a quarter of the portal's burst unused.
"""

import asyncio
import secrets
from collections import deque
from math import ceil

import anyio

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.transport.rate_limit import LeakyBucket

from .engine import Engine, digest
from .servers import Servers

_DRIFT = 0.995
"""The portal's clock may run slower than the engine's, by far less than that."""
_LEASE_MARGIN = 10.0  # seconds beyond the longest call
_SETTLE_AFTER = 1.0
"""Seconds for which the end of a request may wait to be told along with the next one's beginning."""
_GRACE = 1.0  # seconds; as in the script


class SharedRateLimiter:
    """One portal's bucket as this server sees it. No request takes longer than `deadline` seconds."""

    def __init__(
        self, engine: Engine, servers: Servers, name: str, *, rate: float, burst: int, deadline: float
    ) -> None:
        self._engine = engine
        self._servers = servers
        tag = f"b24:{{p:{digest(name)}}}"
        self._keys = [f"{tag}:{part}" for part in ("level", "leases", "queue", "due")]
        self._rate, self._burst = rate, burst
        spare = burst // 4
        self._capacity = max(1, burst - ceil(rate) - 1 - spare)
        self._new_level = max(0, self._capacity - spare)
        self._lease_ms = int((deadline + _LEASE_MARGIN) * 1000)
        self._leases: deque[str] = deque()
        self._over: list[str] = []
        self._settling: asyncio.Task[None] | None = None
        self._bucket_id = ""
        self._full = False
        self._next_at = 0.0
        self._waited = False
        self._alone: LeakyBucket | None = None
        """The bucket of this server's own, while the engine fails."""
        self._under_way = 0

    @property
    def idle(self) -> bool:
        """Whether no request of this server is under way."""
        return not self._under_way and not self._over

    @property
    def level(self) -> int:
        """How many requests of this process are under way: the shared level is known to the engine alone."""
        return self._under_way

    async def try_acquire(self) -> float:
        """Take a place and return 0.0, or return the seconds after which to try again."""
        wait = self._next_at - anyio.current_time()
        if wait > 0 and not self._engine.trouble:
            return wait
        self._waited = self._waited and wait > -_GRACE
        try:
            wait = await self._acquire_shared()
        except StoreUnreachableError:
            wait = await self._acquire_alone()
        self._under_way += not wait
        return wait

    async def release(self) -> None:
        """Note that a request was answered or has failed."""
        self._under_way -= 1
        if not self._leases:
            if self._alone:
                await self._alone.release()
            return
        self._end(self._leases.popleft())

    async def exhaust(self) -> None:
        """Use up all places: the portal refused, so others at this address have filled its bucket."""
        self._full = True
        if self._alone:
            await self._alone.exhaust()
        await self._settle()

    async def _acquire_shared(self) -> float:
        lease = secrets.token_hex(8)
        asked = asyncio.create_task(self._ask(lease))
        try:
            granted, wait = await asyncio.shield(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(lambda done: self._give_back(done, lease))
            raise
        self._alone = None
        self._next_at = anyio.current_time() + wait
        self._waited = wait > 0
        if granted:
            self._leases.append(lease)
            return 0.0
        return wait

    def _give_back(self, done: "asyncio.Task[tuple[bool, float]]", lease: str) -> None:
        """Return the place of a caller who has gone while the engine was asked for it."""
        if not done.cancelled() and not done.exception() and done.result()[0]:
            self._end(lease)

    def _end(self, lease: str) -> None:
        """Tell the engine that a request is over: with the next one, or after a while."""
        self._over.append(lease)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle_later())

    async def _acquire_alone(self) -> float:
        self._full = True
        if self._alone is None:
            count = self._servers.count
            rate = self._rate / count / 2 if count > 1 else self._rate
            self._alone = LeakyBucket(rate, max(1, self._burst // count))
            await self._alone.exhaust()
        return await self._alone.try_acquire()

    async def _ask(self, lease: str) -> tuple[bool, float]:
        """Ask the engine; an empty lease only tells it what is over. Returns granted, and seconds to wait."""
        over, self._over, full = self._over, [], self._full
        try:
            granted, wait, bucket_id = await self._engine.script(
                "rate_limit",
                self._keys,
                *(self._rate * _DRIFT, self._capacity, self._new_level),
                *(self._servers.id, lease, self._lease_ms),
                *(self._bucket_id, secrets.token_hex(8), int(full), int(self._waited)),
                *("", *over),
            )
        except StoreUnreachableError:
            self._over += over
            raise
        self._full = self._full and not full
        self._bucket_id = bucket_id.decode()
        return bool(granted), wait / 1000

    async def _settle_later(self) -> None:
        await anyio.sleep(_SETTLE_AFTER)
        await self._settle()

    async def _settle(self) -> None:
        if not self._over and not self._full:
            return
        try:
            await self._ask("")
        except StoreUnreachableError:
            return
