"""Who waits for what: identical reads are one request, and an answer may serve again for a few seconds.

Only calls with the same credentials ever meet here. A request is a task of its own: it goes on as long
as one caller waits for it, and is cancelled with the last. (A plain task of asyncio's, because every call
pays for it.)
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import anyio
import msgspec
from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PipelineClosedError, PortalError, duration
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Reader, Request, read

from .call_context import CallContext, current_call
from .clock import now
from .flight import Flight
from .limits import Limits
from .retry import Send

T = TypeVar("T")
_Key = tuple[Credentials, object, str, bytes, Reader[object]]
"""Whose read it is, in which epoch, and what is read."""
_PROGRESS_EVERY = 1.0


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
    """A flight, and how many wait for its outcome."""

    flight: Flight
    key: _Key | None
    callers: int = 0
    landed: anyio.Event = field(default_factory=anyio.Event)
    task: asyncio.Task[None] | None = None
    outcome: ApiResult[Any] | Exception = field(default_factory=PipelineClosedError)


class RequestCoalescer:
    """The topmost part of the line: takes requests from callers, and holds them to their deadlines."""

    def __init__(self, leg: Send, limits: Limits, epochs: Epochs | None = None) -> None:
        self._epochs = epochs or _OneEpoch()
        self._leg = leg
        self._limits = limits
        self._trips: set[_SharedCall] = set()
        self._reads: dict[_Key, _SharedCall] = {}
        self._kept = ResponseCache(limits.cache, limits.cache_bytes)

    @property
    def idle(self) -> bool:
        """Tell whether nobody waits for anything."""
        return not self._trips

    async def __call__(self, request: Request[T]) -> ApiResult[T]:
        """Return the portal's answer, read, by the deadline of the call that this code runs for."""
        call = current_call() or CallContext(now() + self._limits.deadline, self._limits.deadline)
        if call.left() <= 0:
            raise Flight(request, call.deadline).late(call.seconds)
        if not request.writes:
            return await self._read(request, call)
        self._kept.forget(request.credentials)
        try:
            return await self._join(self._start(request, call, None), call)
        finally:
            self._outdate(request.credentials)
            with anyio.CancelScope(shield=True):
                await self._epochs.advance(request.credentials)

    async def aclose(self) -> None:
        """Break off all requests, and let go those who wait for them."""
        trips = list(self._trips)
        for trip in trips:
            trip.landed.set()
            _cancel(trip)
        await asyncio.gather(*(trip.task for trip in trips if trip.task), return_exceptions=True)

    async def _read(self, request: Request[T], call: CallContext) -> ApiResult[T]:
        params = msgspec.json.encode(request.params, order="sorted")
        epoch: object = await self._epochs.current(request.credentials)
        if epoch is None:  # nobody knows what other servers have written: this read is shared with none
            epoch = object()
        key = (request.credentials, epoch, request.method, params, request.reader)
        kept = self._kept.get(key)
        if kept:
            return kept
        trip = self._reads.get(key) or self._start(request, call, key)
        return await self._join(trip, call)

    def _start(self, request: Request[object], call: CallContext, key: _Key | None) -> _SharedCall:
        trip = _SharedCall(Flight(request, call.deadline), key)
        self._trips.add(trip)
        if key:
            self._reads[key] = trip
        trip.task = asyncio.create_task(self._fly(trip))
        return trip

    async def _fly(self, trip: _SharedCall) -> None:
        try:
            trip.outcome = read(trip.flight.request, await self._leg(trip.flight))
            if trip.key and self._reads.get(trip.key) is trip:
                self._kept.put(trip.key, trip.outcome)
        except Exception as error:  # noqa: BLE001 - it is for those who wait, not for the loop
            trip.outcome = error
        finally:
            trip.landed.set()
            self._drop(trip)

    async def _join(self, trip: _SharedCall, call: CallContext) -> ApiResult[Any]:
        trip.callers += 1
        trip.flight.deadline = max(trip.flight.deadline, call.deadline)
        try:
            with anyio.CancelScope(deadline=call.deadline):
                await _landing(trip, call)
            if not trip.landed.is_set():
                raise trip.flight.late(call.seconds)
        finally:
            trip.callers -= 1
            if not trip.callers:
                self._drop(trip)
                _cancel(trip)
        if isinstance(trip.outcome, Exception):
            raise trip.outcome.twin() if isinstance(trip.outcome, PortalError) else trip.outcome
        return trip.outcome

    def _drop(self, trip: _SharedCall) -> None:
        self._trips.discard(trip)
        if trip.key and self._reads.get(trip.key) is trip:
            del self._reads[trip.key]

    def _outdate(self, credentials: Credentials) -> None:
        """Let nobody have what was read before a write; reads that have not left yet are none of that."""
        self._kept.forget(credentials)
        for key, trip in list(self._reads.items()):
            if key[0] == credentials and trip.flight.attempts:
                del self._reads[key]


class ResponseCache:
    """Answers of the last few seconds as they were read, bounded in bytes."""

    def __init__(self, seconds: float, size: int) -> None:
        self._size = size if seconds > 0 else 0
        self._answers: TTLCache[_Key, tuple[float, ApiResult[Any]]] = TTLCache(
            max(1, size), seconds, timer=now, getsizeof=_weight
        )

    def get(self, key: _Key) -> ApiResult[Any] | None:
        """Return an answer that is fresh enough, with its age."""
        at, answer = self._answers.get(key, (0.0, None))
        return answer and replace(answer, age=now() - at)

    def put(self, key: _Key, answer: ApiResult[Any]) -> None:
        """Keep an answer, unless it is larger than all may be together."""
        if answer.weight <= self._size:
            self._answers[key] = (now(), answer)

    def forget(self, credentials: Credentials) -> None:
        """Drop all answers for one user."""
        for key in [key for key in self._answers if key[0] == credentials]:
            self._answers.pop(key, None)


def _weight(kept: tuple[float, ApiResult[Any]]) -> int:
    return kept[1].weight


def _cancel(trip: _SharedCall) -> None:
    if trip.task:
        trip.task.cancel()


async def _landing(trip: _SharedCall, call: CallContext) -> None:
    """Wait for a trip's end, and tell the caller where in the queue it is."""
    began = now()
    while call.report and not trip.landed.is_set():
        with anyio.move_on_after(_PROGRESS_EVERY):
            await trip.landed.wait()
        if trip.flight.place and not trip.landed.is_set():
            place = trip.flight.place()
            with suppress(Exception):  # who cannot be told still gets the answer
                await call.report(
                    now() - began,
                    f"Waiting for the portal's rate limit: {place.ahead} calls before this one, "
                    f"about {duration(place.seconds)}.",
                )
    await trip.landed.wait()
