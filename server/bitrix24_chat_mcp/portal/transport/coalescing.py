"""Coalesces identical reads: one request serves all callers who ask the same with the same credentials.

A request is a task of its own. It goes on as long as one caller waits for it, and is cancelled with the
last. (A plain asyncio task, because every call pays for it.)
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio
import msgspec

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PipelineClosedError, PortalError, duration
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request, read

from .call_context import CallContext, current_call
from .outgoing import Outgoing, Stage
from .progress import Event, Progress
from .response_cache import CacheKey, ResponseCache
from .worker_threads import WorkerThreads

T = TypeVar("T")
_REPORT_EVERY = 1.0
"""Seconds between two progress reports to a caller."""


class Epochs(Protocol):
    """Tells a user's epoch, which every write changes before its caller is answered, at any server."""

    async def current(self, credentials: Credentials) -> int | None:
        """Return the epoch, None if it cannot be known now."""
        ...

    async def advance(self, credentials: Credentials) -> None:
        """Begin the next epoch."""
        ...


class _OneEpoch:
    """The epochs of a server that shares nothing: its own writes drop what is too old."""

    async def current(self, credentials: Credentials) -> int | None:
        del credentials
        return 0

    async def advance(self, credentials: Credentials) -> None:
        del credentials


@dataclass(eq=False, slots=True)
class _SharedCall:
    """A request, the callers who wait for it until `deadline` at the latest, and its outcome."""

    request: Request[Any]
    key: CacheKey | None
    deadline: float
    callers: int = 0
    progress: Progress = field(default_factory=Progress)
    done: anyio.Event = field(default_factory=anyio.Event)
    task: asyncio.Task[None] | None = None
    outcome: ApiResult[Any] | Exception = field(default_factory=PipelineClosedError)

    def time_left(self) -> float:
        return self.deadline - anyio.current_time()

    def note(self, event: Event) -> None:
        self.progress = self.progress.after(event)

    def cancel(self) -> None:
        if self.task:
            self.task.cancel()

    def result(self) -> ApiResult[Any]:
        if isinstance(self.outcome, PortalError):
            raise self.outcome.with_history(self.progress.history(self.request, self.outcome))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class RequestCoalescer:
    """The first stage: takes requests from callers, and holds them to their deadlines."""

    def __init__(
        self,
        send: Stage,
        seconds: float,
        cache: ResponseCache,
        threads: WorkerThreads,
        epochs: Epochs | None,
        announce: Callable[[Credentials], None],
    ) -> None:
        self._send = send
        self._seconds = seconds
        self._cache = cache
        self._threads = threads
        self._epochs = epochs or _OneEpoch()
        self._announce = announce
        self._calls: set[_SharedCall] = set()
        self._reads: dict[CacheKey, _SharedCall] = {}

    @property
    def idle(self) -> bool:
        """Whether no caller waits for anything."""
        return not self._calls

    async def __call__(self, request: Request[T]) -> ApiResult[T]:
        """Return the portal's answer, read, by the deadline of the call that the running code belongs to."""
        call = current_call() or CallContext(anyio.current_time() + self._seconds, self._seconds)
        if call.time_left() <= 0:
            raise Progress().deadline_error(request, call.seconds)
        if request.fresh:
            return await self._join(self._start(request, call, None), call)
        if not request.writes:
            return await self._read(request, call)
        self._cache.drop(request.credentials)
        try:
            return await self._join(self._start(request, call, None), call)
        finally:
            self._invalidate(request.credentials)
            with anyio.CancelScope(shield=True):
                await self._epochs.advance(request.credentials)
            self._announce(request.credentials)

    async def aclose(self) -> None:
        """Cancel all requests; their callers get a PipelineClosedError."""
        calls = list(self._calls)
        for shared in calls:
            shared.done.set()
            shared.cancel()
        await asyncio.gather(*(shared.task for shared in calls if shared.task), return_exceptions=True)

    async def _read(self, request: Request[T], call: CallContext) -> ApiResult[T]:
        params = msgspec.json.encode(request.params, order="sorted")
        epoch: object = await self._epochs.current(request.credentials)
        if epoch is None:  # it is unknown what other servers have written: this read is shared with none
            epoch = object()
        key = (request.credentials, epoch, request.method, params, request.reader)
        if cached := self._cache.get(key):
            return cached
        return await self._join(self._reads.get(key) or self._start(request, call, key), call)

    def _start(self, request: Request[object], call: CallContext, key: CacheKey | None) -> _SharedCall:
        shared = _SharedCall(request, key, call.deadline)
        self._calls.add(shared)
        if key:
            self._reads[key] = shared
        shared.task = asyncio.create_task(self._run(shared))
        return shared

    async def _run(self, shared: _SharedCall) -> None:
        try:
            answer = await self._send(Outgoing(shared.request, shared.time_left, shared.note))
            portal = shared.request.credentials.portal
            reading = partial(read, shared.request, answer)
            shared.outcome = await self._threads.read(portal, answer.result, reading)
            if shared.key and self._reads.get(shared.key) is shared:
                self._cache.put(shared.key, shared.outcome)
        except Exception as error:  # noqa: BLE001 - the callers raise it, not the event loop
            shared.outcome = error
        finally:
            shared.done.set()
            self._forget(shared)

    async def _join(self, shared: _SharedCall, call: CallContext) -> ApiResult[Any]:
        shared.callers += 1
        shared.deadline = max(shared.deadline, call.deadline)
        try:
            with anyio.CancelScope(deadline=call.deadline):
                await _wait(shared, call)
            if not shared.done.is_set():
                raise shared.progress.deadline_error(shared.request, call.seconds)
        finally:
            shared.callers -= 1
            if not shared.callers:
                self._forget(shared)
                shared.cancel()
        return shared.result()

    def _forget(self, shared: _SharedCall) -> None:
        self._calls.discard(shared)
        if shared.key and self._reads.get(shared.key) is shared:
            del self._reads[shared.key]

    def _invalidate(self, credentials: Credentials) -> None:
        """After a write, serve no answer that was read before it; reads not sent yet are none of these."""
        self._cache.drop(credentials)
        for key, shared in list(self._reads.items()):
            if key[0] == credentials and shared.progress.attempts:
                del self._reads[key]


async def _wait(shared: _SharedCall, call: CallContext) -> None:
    """Wait for the outcome, and report the position in the queue to the caller meanwhile."""
    began = anyio.current_time()
    while call.report and not shared.done.is_set():
        with anyio.move_on_after(_REPORT_EVERY):
            await shared.done.wait()
        position = None if shared.done.is_set() else shared.progress.position
        if position:
            with suppress(Exception):  # a caller who cannot be told still gets the answer
                await call.report(
                    anyio.current_time() - began,
                    f"Waiting for the portal's rate limit: {position.ahead} calls before this one, "
                    f"about {duration(position.seconds)}.",
                )
    await shared.done.wait()
