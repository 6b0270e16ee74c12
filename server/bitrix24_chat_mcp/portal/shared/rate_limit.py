"""The portal's rate limit, kept by several servers together.

The bucket lies in the engine, and only the engine's clock counts. Callers that wait for a place form one
queue, whatever servers they call at, and take turns. A place is a lease: that of a server which was killed
ends by itself.

Without the engine a server goes on with a bucket of its own, which begins full and drains the part of the
rate that the others leave free for it. Until they notice, in 15 seconds at most, a quarter of the portal's
burst must do, which the shared bucket never uses.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import ceil

import anyio

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.transport.engine_use import for_nobody
from bitrix24_chat_mcp.portal.transport.rate_limit import LeakyBucket, Turn

from .engine import Engine, digest, patiently
from .servers import Servers

_DRIFT = 0.995
"""The portal's clock may run slower than the engine's, by far less than that."""
_LEASE_MARGIN = 10.0  # seconds beyond the longest call
_SETTLE_AFTER = 1.0
"""Seconds for which the end of a request may wait to be told along with the next one's beginning."""
_SOON = 0.001  # seconds
_UNLIMITED = 10**9
_GRACE = 1.0  # seconds; as in the script
MOST_CALLERS = 100
"""Callers of one server who are in the queue at a time; of more, those whose turn at this server is next."""
_PARTS = ("level", "leases", "queue", "waiting", "due", "turns")


class SharedRateLimiter:
    """One portal's bucket as this server sees it. No request takes longer than `deadline` seconds."""

    def __init__(
        self, engine: Engine, servers: Servers, name: str, *, rate: float, burst: int, deadline: float
    ) -> None:
        self._engine = engine
        self._servers = servers
        tag = f"b24:{{p:{digest(name)}}}"
        self._keys = [f"{tag}:{part}" for part in _PARTS]
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
        self._in_queue: set[str] = set()
        """The callers whom the engine has in its queue for this server."""
        self._alone: _BucketAlone | None = None
        """What this server goes by while the engine fails, and until the engine knows what was sent so."""
        self._under_way = 0

    @property
    def idle(self) -> bool:
        """Whether no request of this server is under way."""
        return not self._under_way and not self._over

    @property
    def level(self) -> int:
        """How many requests of this process are under way: the shared level is known to the engine alone."""
        return self._under_way

    async def try_acquire(self, callers: Sequence[Credentials]) -> Turn:
        """Take a place for the caller whose turn it is, or return the seconds after which to try again."""
        names = {_name(caller): caller for caller in callers[:MOST_CALLERS]}
        wait = self._next_at - anyio.current_time()
        if wait > 0 and names.keys() <= self._in_queue and not self._engine.trouble:
            return Turn(None, wait)
        self._waited = self._waited and wait > -_GRACE
        try:
            turn = await self._acquire_shared(names)
        except StoreUnreachableError:
            if not self._engine.trouble:  # it is only too slow for this request, which can wait in the queue
                return Turn(None, _SOON)
            turn = await self._acquire_alone(callers)
        self._under_way += turn.caller is not None
        return turn

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

    async def _acquire_shared(self, names: dict[str, Credentials]) -> Turn:
        lease = secrets.token_hex(8)
        with for_nobody():
            asked = asyncio.create_task(self._ask(lease, list(names)))
        try:
            name, wait = await patiently(asked)
        except (asyncio.CancelledError, StoreUnreachableError):
            asked.add_done_callback(lambda done: self._give_back(done, lease))
            raise
        self._next_at = anyio.current_time() + wait
        self._waited = wait > 0
        if name:
            self._leases.append(lease)
            return Turn(names[name])
        return Turn(None, wait)

    def _give_back(self, done: "asyncio.Task[tuple[str, float]]", lease: str) -> None:
        """Return the place of a caller who has gone while the engine was asked for it."""
        if not done.cancelled() and not done.exception() and done.result()[0]:
            self._end(lease)

    def _end(self, lease: str) -> None:
        """Tell the engine that a request is over: with the next one, or after a while."""
        self._over.append(lease)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle_later())

    async def _acquire_alone(self, callers: Sequence[Credentials]) -> Turn:
        rate = self._rate * self._servers.part_alone()
        if self._alone is None:
            self._alone = _BucketAlone(rate, max(1, self._burst // self._servers.count))
            await self._alone.exhaust()
        self._alone.set_rate(rate)
        return await self._alone.try_acquire(callers)

    async def _ask(self, lease: str, names: list[str]) -> tuple[str, float]:
        """Ask the engine; an empty lease only tells it what is over. Returns who may send, and the wait."""
        over, self._over, full, alone = self._over, [], self._full, self._alone
        # It may yet do what it was asked for too long ago, and grant a place that nobody takes.
        doubtful = [lease] if lease and not self._engine.trouble else []
        try:
            name, wait, bucket_id, in_queue = await self._engine.script(
                "rate_limit",
                self._keys,
                *(self._rate * _DRIFT * (1 - self._servers.free), self._capacity, self._new_level),
                *(self._servers.id, lease, self._lease_ms),
                *(
                    self._bucket_id,
                    secrets.token_hex(8),
                    int(full),
                    alone.sent if alone else 0,
                    int(self._waited),
                ),
                *("", len(names), *names, *over),
            )
        except StoreUnreachableError:
            self._over += [*over, *doubtful]
            raise
        self._alone = None if self._alone is alone else self._alone
        self._full = self._full and not full
        self._bucket_id = bucket_id.decode()
        if lease:
            self._in_queue = set(in_queue.decode().split())
        return name.decode(), wait / 1000

    async def _settle_later(self) -> None:
        await anyio.sleep(_SETTLE_AFTER)
        await self._settle()

    async def _settle(self) -> None:
        if not self._over and not self._full:
            return
        with for_nobody(), suppress(StoreUnreachableError):
            await self._ask("", [])


def _name(caller: Credentials) -> str:
    """Return what stands for a caller in the queue of all servers."""
    return digest(caller.signing_key().hex())[:16]


class _BucketAlone:
    """What a server may send without the engine, and how much of that the portal's bucket may still hold."""

    def __init__(self, rate: float, burst: int) -> None:
        self._limit = LeakyBucket(rate, burst)
        self._sent = LeakyBucket(rate, _UNLIMITED)

    @property
    def sent(self) -> int:
        return self._sent.level

    def set_rate(self, rate: float) -> None:
        for bucket in (self._limit, self._sent):
            bucket.set_rate(rate)

    async def try_acquire(self, callers: Sequence[Credentials]) -> Turn:
        turn = await self._limit.try_acquire(callers)
        return await self._sent.try_acquire(callers) if turn.caller else turn

    async def release(self) -> None:
        for bucket in (self._limit, self._sent):
            await bucket.release()

    async def exhaust(self) -> None:
        await self._limit.exhaust()
