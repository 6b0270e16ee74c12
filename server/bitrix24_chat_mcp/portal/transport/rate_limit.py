"""How fast one portal may be asked: its leaky bucket, kept on our side.

The portal counts a request when it arrives, we when it is sent, and on the way requests may bunch up.
So what is under way does not drain: our bucket never holds less than the requests without an answer.
Then it is at no moment emptier than the portal's, whatever the network does.
"""

from inspect import isawaitable
from math import ceil
from typing import TYPE_CHECKING

from .clock import now

if TYPE_CHECKING:
    from pyrate_limiter import Decision, StateStore

# The portal's clock may run slower than ours, by far less than this.
_DRIFT = 0.99


class LeakyBucket:
    """A bucket that drains `rate` requests a second and holds `burst`.

    The state is one number in a store of pyrate-limiter's; another store may keep it in Redis.
    """

    def __init__(self, rate: float, burst: int, store: "StateStore | None" = None) -> None:
        # A second's drainage stays unused, for a portal that drains by whole seconds; one for rounding.
        self._burst = max(1, burst - ceil(rate) - 1)
        self._rate = rate * _DRIFT
        self._bucket = _Bucket(self._rate, self._burst, store) if store else None
        self._under_way = 0
        self._first_at: int | None = None

    @property
    def idle(self) -> bool:
        """Tell whether no request is under way."""
        return not self._under_way

    async def try_acquire(self) -> float:
        """Take a place for one request and return 0, or else the seconds after which to ask again.

        Who got a place must call `landed` when the request is over.
        """
        if self._first_at is not None or self._bucket:
            await self._top_up()
            decision = await (await self._begun()).take(1)
            if not decision.allowed:
                return (decision.retry_after_ms or 0) / 1000 or 0.001
        else:
            self._first_at = _now()
        self._under_way += 1
        return 0.0

    async def level(self) -> int:
        """Return how many requests the bucket holds."""
        return await self._bucket.holds() if self._bucket else self._under_way

    async def release(self) -> None:
        """Note that a request was answered, or broke."""
        await self._top_up()
        self._under_way -= 1

    async def exhaust(self) -> None:
        """Use up what is left: the portal refused, so its bucket is full, by others at our address."""
        bucket, weight = await self._begun(), self._burst
        while weight:
            if not (await bucket.take(weight)).allowed:
                weight //= 2

    async def _begun(self) -> "_Bucket":
        """Return the bucket. The first request needs none to find it empty, and is put in with the second."""
        if self._bucket is None:
            self._bucket = _Bucket(self._rate, self._burst)
            await self._bucket.take(1, self._first_at)
        return self._bucket

    async def _top_up(self) -> None:
        if not self._under_way or not self._bucket:
            return
        drained = self._under_way - await self._bucket.holds()
        if drained > 0:
            await self._bucket.take(drained)


class _Bucket:
    """A leaky bucket as pyrate-limiter keeps it. Loading that library takes some 15 ms."""

    def __init__(self, rate: float, burst: int, store: "StateStore | None" = None) -> None:
        from pyrate_limiter import GCRA, InMemoryStateStore, Rate  # noqa: PLC0415

        self._rates = [Rate(max(1, int(rate * 1000)), 1_000_000, burst)]
        self._algorithm = GCRA()
        self._store = store or InMemoryStateStore()

    async def take(self, weight: int, at: int | None = None) -> "Decision":
        """Put in so much, if it fits, now or `at` an earlier moment."""
        decision = self._store.check(self._algorithm, self._rates, _now() if at is None else at, weight)
        return await decision if isawaitable(decision) else decision

    async def holds(self) -> int:
        """Return how much is in it."""
        state = self._store.read(self._algorithm, self._rates)
        state = await state if isawaitable(state) else state
        return self._algorithm.consumed(self._rates, state, _now())


def _now() -> int:
    return int(now() * 1000)
