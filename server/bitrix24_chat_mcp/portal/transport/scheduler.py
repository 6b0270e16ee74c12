"""When a request leaves, and with which others.

A call that finds a free place under the rate limit leaves at once and alone. The others wait: when the next
place is free, the first call of the caller whose turn it is leaves, with all that this caller waits for, as
one batch. Calls of different users never share a request. When the queue is full, a caller who has fewer
calls in it gets the place of the last call of the caller who has the most.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio.abc import TaskGroup

from bitrix24_chat_mcp.portal.api.batch import fits, pack, unpack
from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PortalError, QueueFullError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Post, Request

from .engine_use import for_nobody
from .fair_queue import FairQueue, Outcome, Waiter
from .limits import Limits
from .outgoing import Outgoing, RetryOutsideBatch
from .progress import Queued, Sent
from .rate_limit import RateLimiter
from .telemetry import Telemetry
from .worker_threads import WorkerThreads

_BATCH_ERRORS = {"ERROR_BATCH_LENGTH_EXCEEDED", "ERROR_BATCH_METHOD_NOT_ALLOWED"}
# A command that fails with one of these in a batch may succeed outside of it,
_OF_THE_COMMAND = frozenset({*_BATCH_ERRORS, "EXPIRED_TOKEN"})
# and so may all commands of a batch that fails as a whole with one of these. The source puts a batch's own
# errors into the commands, the documentation makes them errors of the whole.
_OF_THE_BATCH = frozenset(
    {*_BATCH_ERRORS, "ANSWER_TOO_LARGE", "ERROR_METHOD_NOT_FOUND", "OPERATION_TIME_LIMIT"}
)
_MOST_PORTALS = 1000


@dataclass(eq=False, slots=True)
class _Batch:
    """Calls that leave in one request, which is cancelled when none of them is awaited any more."""

    waiters: list[Waiter]
    awaited: set[Waiter]
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class BatchScheduler:
    """One portal's queue, rate limit and batches.

    `post` makes one REST request; requests that serve several calls run in `tasks`.
    """

    def __init__(
        self,
        post: Post,
        limits: Limits,
        rate_limiter: RateLimiter,
        tasks: TaskGroup,
        telemetry: Telemetry,
        threads: WorkerThreads,
    ) -> None:
        self._post = post
        self._longest_queue = limits.queue
        self._rate_limiter = rate_limiter
        self._tasks = tasks
        self._telemetry = telemetry
        self._threads = threads
        self._queue = FairQueue(limits.rate)
        self._batches: set[_Batch] = set()
        self._draining = False
        self._changed = anyio.Event()
        """Callers have come into the queue, or the last one has left it."""
        self._unbatchable: set[str] = set()

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._queue and not self._draining and self._rate_limiter.idle

    async def __call__(self, outgoing: Outgoing) -> ApiResult:
        """Send a request when the rate limit allows it, and return the portal's answer."""
        if not self._queue and (await self._rate_limiter.try_acquire([outgoing.request.credentials])).caller:
            return await self._request(outgoing.request, [outgoing])
        waiter = self._enqueue(outgoing)
        since = anyio.current_time()
        try:
            await waiter.done.wait()
        finally:
            self._leave(waiter)
            self._telemetry.waited(outgoing.request, anyio.current_time() - since)
        if isinstance(waiter.outcome, Exception):
            raise waiter.outcome
        return waiter.outcome

    def _enqueue(self, outgoing: Outgoing) -> Waiter:
        waiter, waiting = Waiter(outgoing), len(self._queue)
        if self._queue.add(waiter):
            self._changed.set()
        if waiting >= self._longest_queue:
            self._refuse_for(waiter, waiting)
        self._telemetry.queue_length(outgoing.request, len(self._queue))
        outgoing.report(Queued(lambda: self._queue.position(waiter)))
        self._start_draining()
        return waiter

    def _refuse_for(self, new: Waiter, waiting: int) -> None:
        """Refuse the new call, or else the last call of a caller who has more of them in the queue."""
        refused = self._queue.least_urgent(new)
        error = QueueFullError(waiting, self._queue.position(refused).seconds)
        self._queue.remove(refused)
        if refused is new:
            raise error
        refused.resolve(error)

    def _leave(self, waiter: Waiter) -> None:
        """Give up a call's place in the queue or in a batch, if it still has one."""
        if waiter in self._queue:
            self._queue.remove(waiter)
            self._telemetry.queue_length(waiter.outgoing.request, len(self._queue))
            if not self._queue:
                self._changed.set()
        for batch in self._batches:
            batch.awaited.discard(waiter)
            if not batch.awaited:
                batch.scope.cancel()

    def _start_draining(self) -> None:
        if not self._draining:
            self._draining = True
            self._tasks.start_soon(self._drain)

    async def _drain(self) -> None:
        """Send what waits, as the rate limit allows, until the queue is empty."""
        try:
            with for_nobody():
                while self._queue:
                    await self._send_next()
        finally:
            self._draining = False

    async def _send_next(self) -> None:
        """Send a batch, or wait until there may be a place for one."""
        self._changed = anyio.Event()
        turn = await self._rate_limiter.try_acquire(self._queue.callers())
        if turn.caller is None:
            with anyio.move_on_after(turn.wait):
                await self._changed.wait()
        elif not self._queue:  # the callers have left while the rate limiter was asked
            await self._rate_limiter.release()
        else:
            self._start_batch(turn.caller)

    def _start_batch(self, caller: Credentials) -> None:
        waiters = self._queue.take(caller, self._is_batchable)
        self._telemetry.queue_length(waiters[0].outgoing.request, len(self._queue))
        batch = _Batch(waiters, set(waiters))
        self._batches.add(batch)
        self._tasks.start_soon(self._run, batch)

    def _is_batchable(self, outgoing: Outgoing) -> bool:
        request = outgoing.request
        return outgoing.batchable and request.method not in self._unbatchable and fits(request)

    async def _run(self, batch: _Batch) -> None:
        try:
            with batch.scope:
                outcomes = await self._outcomes([waiter.outgoing for waiter in batch.waiters])
                for waiter, outcome in zip(batch.waiters, outcomes, strict=True):
                    waiter.resolve(outcome)
        finally:
            self._batches.discard(batch)
            for waiter in batch.waiters:
                waiter.done.set()

    async def _outcomes(self, calls: Sequence[Outgoing]) -> Sequence[Outcome]:
        """Make one request of the calls, and return what came of each."""
        single = len(calls) == 1
        request = calls[0].request if single else pack([call.request for call in calls])
        try:
            answer = await self._request(request, calls)
        except PortalError as error:
            apart = not single and error.code in _OF_THE_BATCH
            return [RetryOutsideBatch(error) if apart else error] * len(calls)
        if single:
            return [answer]
        outcomes = await self._threads.read(
            request.credentials.portal, answer.result, partial(unpack, answer, len(calls))
        )
        return list(map(self._judge, calls, outcomes))

    def _judge(self, call: Outgoing, outcome: ApiResult | PortalError) -> Outcome:
        """Return a command's outcome, or that it is to be sent again outside of a batch."""
        if not isinstance(outcome, PortalError) or outcome.code not in _OF_THE_COMMAND:
            return outcome
        if outcome.code == "ERROR_BATCH_METHOD_NOT_ALLOWED":
            self._unbatchable.add(call.request.method)
        return RetryOutsideBatch(outcome)

    async def _request(self, request: Request[object], calls: Sequence[Outgoing]) -> ApiResult:
        """Make one REST request, for which the rate limiter has granted a place."""
        for call in calls:
            call.report(Sent(call.attempt))
        attempt = max(call.attempt for call in calls)
        self._telemetry.bucket_level(request, self._rate_limiter.level)
        try:
            with self._telemetry.request(request, attempt=attempt, size=len(calls)):
                return await self._post(request)
        except PortalError as error:
            if error.code == "QUERY_LIMIT_EXCEEDED":
                await self._rate_limiter.exhaust()
            raise
        finally:
            with anyio.CancelScope(shield=True):  # a place that is not released is lost
                await self._rate_limiter.release()


class PortalSchedulers:
    """A scheduler for each portal; those of idle portals are dropped when there are many."""

    def __init__(self, make: Callable[[str], BatchScheduler]) -> None:
        self._make = make
        self._schedulers: dict[str, BatchScheduler] = {}

    def __len__(self) -> int:
        return len(self._schedulers)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way at any portal."""
        return all(scheduler.idle for scheduler in self._schedulers.values())

    async def __call__(self, outgoing: Outgoing) -> ApiResult:
        """Send a request by its portal's scheduler."""
        portal = outgoing.request.credentials.portal
        if portal not in self._schedulers:
            self._make_room()
            self._schedulers[portal] = self._make(portal)
        return await self._schedulers[portal](outgoing)

    def _make_room(self) -> None:
        """Drop idle schedulers: callers may name any number of portals."""
        idle = [portal for portal, scheduler in self._schedulers.items() if scheduler.idle]
        for portal in idle[: max(0, len(self._schedulers) + 1 - _MOST_PORTALS)]:
            del self._schedulers[portal]
