"""When a request leaves, and in whose company.

A call that finds the bucket free leaves at once and alone. The others wait, each caller's in the order in
which they came, and callers take turns: when the bucket lets a request go, it takes the first call of the
caller whose turn it is, and with it all that this caller waits for, as one batch. Calls of different
users never share a request. When the queue is full, a caller who has fewer calls in it gets the place of
the last call of the caller who has the most.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from .batch import LARGEST, fits, pack, unpack
from .clock import now
from .errors import ClosedError, PortalError, QueueFullError
from .flight import Flight, Place
from .limits import Limits
from .pace import Pace
from .rest import Answer, Post, Request
from .telemetry import Telemetry

if TYPE_CHECKING:
    from .auth import Credentials

Outcome = Answer | PortalError

# A command that fails with one of these may do better outside of a batch,
_OF_THE_COMMAND = frozenset({"ERROR_BATCH_METHOD_NOT_ALLOWED", "EXPIRED_TOKEN"})
# and so may all commands of a batch that fails as a whole with one of these.
_OF_THE_BATCH = frozenset({"ANSWER_TOO_LARGE", "ERROR_METHOD_NOT_FOUND", "OPERATION_TIME_LIMIT"})


@dataclass(eq=False, slots=True)
class _Parcel:
    """Calls that travel in one request; `awaited` of them still have somebody who waits."""

    tickets: list["_Ticket"]
    awaited: int
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


@dataclass(eq=False, slots=True)
class _Ticket:
    """A place in the queue, and later in a parcel."""

    flight: Flight
    done: anyio.Event = field(default_factory=anyio.Event)
    outcome: Outcome = field(default_factory=ClosedError)
    parcel: _Parcel | None = None

    def deliver(self, outcome: Outcome) -> None:
        self.outcome = outcome.twin() if isinstance(outcome, PortalError) else outcome
        self.done.set()


class Dispatch:
    """The way out to one portal: its queue, its pace, its batches.

    `post` makes one REST request; `tasks` is where requests live that serve several calls.
    """

    def __init__(
        self,
        post: Post,
        limits: Limits,
        tasks: TaskGroup,
        telemetry: Telemetry,
    ) -> None:
        self._post = post
        self._limits = limits
        self._tasks = tasks
        self._telemetry = telemetry
        self._pace = Pace(limits.rate, limits.burst)
        self._waiting: OrderedDict[Credentials, deque[_Ticket]] = OrderedDict()  # the next turn first
        self._pumping = False
        self._nap = anyio.CancelScope()
        self._unbatchable: set[str] = set()

    @property
    def idle(self) -> bool:
        """Tell whether nothing waits and nothing is under way."""
        return not self._waiting and not self._pumping and self._pace.idle

    async def __call__(self, flight: Flight) -> Answer:
        """Send a request when the bucket allows it, and return what the portal answers."""
        if not self._waiting and not await self._pace.admit():
            return await self._ask(flight.request, [flight])
        ticket = self._line_up(flight)
        since = now()
        try:
            await ticket.done.wait()
        finally:
            self._leave(ticket)
            self._telemetry.waited(flight.request, now() - since)
        if isinstance(ticket.outcome, PortalError):
            raise ticket.outcome
        return ticket.outcome

    def _line_up(self, flight: Flight) -> _Ticket:
        ticket = _Ticket(flight)
        waiting = sum(map(len, self._waiting.values()))
        own = self._waiting.setdefault(flight.request.credentials, deque())
        own.append(ticket)
        if waiting >= self._limits.queue:
            self._refuse(waiting, max(self._waiting.values(), key=len), own)
        flight.place = lambda: self._place(ticket)
        self._pump()
        return ticket

    def _refuse(self, waiting: int, longest: deque[_Ticket], own: deque[_Ticket]) -> None:
        """Refuse the new call, the last of its `own` caller's, or else the last of the `longest` queue."""
        fair = len(own) < len(longest)
        refused = longest[-1] if fair else own[-1]
        error = QueueFullError(waiting, self._place(refused).seconds)
        self._remove(refused)
        if not fair:
            raise error
        refused.deliver(error)

    def _remove(self, ticket: _Ticket) -> None:
        credentials = ticket.flight.request.credentials
        own = self._waiting[credentials]
        own.remove(ticket)
        if not own:
            del self._waiting[credentials]

    def _waits(self, ticket: _Ticket) -> bool:
        return ticket in self._waiting.get(ticket.flight.request.credentials, ())

    def _leave(self, ticket: _Ticket) -> None:
        ticket.flight.place = None
        if self._waits(ticket):
            self._remove(ticket)
            if not self._waiting:
                self._nap.cancel()
        elif ticket.parcel:
            ticket.parcel.awaited -= 1
            if not ticket.parcel.awaited:
                ticket.parcel.scope.cancel()

    def _place(self, ticket: _Ticket) -> Place:
        """Tell how many calls leave before one that waits, and when it leaves, about."""
        if not self._waits(ticket):
            return Place(0, 1 / self._limits.rate)
        asked = ticket.flight.request.credentials
        calls = self._waiting[asked].index(ticket)
        turns = own = calls // LARGEST
        sooner = True
        for credentials, waiting in self._waiting.items():
            if credentials == asked:
                sooner = False  # those behind have each of their turns later
                continue
            due = min(len(waiting), (own + sooner) * LARGEST)
            turns, calls = turns + ceil(due / LARGEST), calls + due
        return Place(calls, (turns + 1) / self._limits.rate)

    def _pump(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._tasks.start_soon(self._depart)

    async def _depart(self) -> None:
        """Let the waiting go, as the bucket allows, until nobody waits."""
        try:
            while self._waiting:
                if pause := await self._pace.admit():
                    with anyio.move_on_after(pause) as self._nap:
                        await anyio.sleep_forever()
                else:
                    parcel = self._collect()
                    self._tasks.start_soon(self._carry, parcel)
        finally:
            self._pumping = False

    def _collect(self) -> _Parcel:
        """Take the first call of the caller whose turn it is, and all of theirs that may travel with it."""
        credentials, waiting = self._waiting.popitem(last=False)
        first = waiting.popleft()
        company = [first]
        if self._joins(first):
            fitting = (ticket for ticket in waiting if self._joins(ticket))
            company += [ticket for ticket, _ in zip(fitting, range(LARGEST - 1), strict=False)]
            waiting = deque(ticket for ticket in waiting if ticket not in company)
        if waiting:
            self._waiting[credentials] = waiting
        parcel = _Parcel(company, len(company))
        for ticket in company:
            ticket.parcel = parcel
            ticket.flight.place = None
        return parcel

    def _joins(self, ticket: _Ticket) -> bool:
        flight = ticket.flight
        return not flight.alone and flight.request.method not in self._unbatchable and fits(flight.request)

    async def _carry(self, parcel: _Parcel) -> None:
        try:
            with parcel.scope:
                outcomes = await self._outcomes([ticket.flight for ticket in parcel.tickets])
                for ticket, outcome in zip(parcel.tickets, outcomes, strict=True):
                    ticket.deliver(outcome)
        finally:
            for ticket in parcel.tickets:
                ticket.done.set()

    async def _outcomes(self, flights: Sequence[Flight]) -> list[Outcome]:
        single = len(flights) == 1
        request = flights[0].request if single else pack([flight.request for flight in flights])
        try:
            answer = await self._ask(request, flights)
        except PortalError as error:
            alone = not single and error.code in _OF_THE_BATCH
            for flight in flights:
                flight.alone = flight.alone or alone
            return [error] * len(flights)
        if single:
            return [answer]
        outcomes = unpack(answer, len(flights))
        for flight, outcome in zip(flights, outcomes, strict=True):
            self._set_apart(flight, outcome)
        return outcomes

    def _set_apart(self, flight: Flight, outcome: Outcome) -> None:
        if not isinstance(outcome, PortalError) or outcome.code not in _OF_THE_COMMAND:
            return
        flight.alone = True
        if outcome.code == "ERROR_BATCH_METHOD_NOT_ALLOWED":
            self._unbatchable.add(flight.request.method)

    async def _ask(self, request: Request[object], flights: Sequence[Flight]) -> Answer:
        """Make one REST request in the place that the bucket gave."""
        for flight in flights:
            flight.attempts += 1
            flight.under_way = True
        attempt = max(flight.attempts for flight in flights)
        try:
            with self._telemetry.request(request, attempt=attempt, size=len(flights)):
                return await self._post(request)
        except PortalError as error:
            if error.code == "QUERY_LIMIT_EXCEEDED":
                await self._pace.drain()
            raise
        finally:
            for flight in flights:
                flight.under_way = False
            await self._pace.landed()
