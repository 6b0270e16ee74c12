"""When a request leaves, and in whose company.

A call that finds the bucket free leaves at once and alone. The others wait, each caller's in the order in
which they came, and callers take turns: when the bucket lets a request go, it takes the first call of the
caller whose turn it is, and with it all that this caller waits for, as one batch. Calls of different
users never share a request. When the queue is full, a caller who has fewer calls in it gets the place of
the last call of the caller who has the most.
"""

from collections.abc import Sequence

import anyio
from anyio.abc import TaskGroup

from bitrix24_chat_mcp.portal.api.batch import fits, pack, unpack
from bitrix24_chat_mcp.portal.api.errors import PortalError, QueueFullError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Post, Request

from .clock import now
from .fair_queue import FairQueue, Outcome, Parcel, Ticket
from .flight import Flight
from .limits import Limits
from .rate_limit import RateLimiter
from .telemetry import Telemetry

# A command that fails with one of these may do better outside of a batch,
_OF_THE_COMMAND = frozenset({"ERROR_BATCH_METHOD_NOT_ALLOWED", "EXPIRED_TOKEN"})
# and so may all commands of a batch that fails as a whole with one of these.
_OF_THE_BATCH = frozenset({"ANSWER_TOO_LARGE", "ERROR_METHOD_NOT_FOUND", "OPERATION_TIME_LIMIT"})


class BatchScheduler:
    """The way out to one portal: its queue, its rate limit, its batches.

    `post` makes one REST request; `tasks` is where requests live that serve several calls.
    """

    def __init__(
        self,
        post: Post,
        limits: Limits,
        tasks: TaskGroup,
        telemetry: Telemetry,
        rate_limiter: RateLimiter,
    ) -> None:
        self._post = post
        self._limits = limits
        self._tasks = tasks
        self._telemetry = telemetry
        self._rate_limiter = rate_limiter
        self._waiting = FairQueue(limits.rate)
        self._pumping = False
        self._nap = anyio.CancelScope()
        self._unbatchable: set[str] = set()

    @property
    def idle(self) -> bool:
        """Tell whether nothing waits and nothing is under way."""
        return not self._waiting and not self._pumping and self._rate_limiter.idle

    async def __call__(self, flight: Flight) -> ApiResult:
        """Send a request when the bucket allows it, and return what the portal answers."""
        if not self._waiting and not await self._rate_limiter.try_acquire():
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

    def _line_up(self, flight: Flight) -> Ticket:
        ticket = Ticket(flight)
        waiting = len(self._waiting)
        self._waiting.add(ticket)
        if waiting >= self._limits.queue:
            self._refuse(waiting, ticket)
        flight.place = lambda: self._waiting.place(ticket)
        self._pump()
        return ticket

    def _refuse(self, waiting: int, new: Ticket) -> None:
        """Refuse the new call, or else the last call of a caller who has more of them in the queue."""
        refused = self._waiting.least_urgent(new)
        error = QueueFullError(waiting, self._waiting.place(refused).seconds)
        self._waiting.remove(refused)
        if refused is new:
            raise error
        refused.deliver(error)

    def _leave(self, ticket: Ticket) -> None:
        ticket.flight.place = None
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            if not self._waiting:
                self._nap.cancel()
        elif ticket.parcel:
            ticket.parcel.awaited -= 1
            if not ticket.parcel.awaited:
                ticket.parcel.scope.cancel()

    def _pump(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._tasks.start_soon(self._depart)

    async def _depart(self) -> None:
        """Let the waiting go, as the bucket allows, until nobody waits."""
        try:
            while self._waiting:
                if pause := await self._rate_limiter.try_acquire():
                    with anyio.move_on_after(pause) as self._nap:
                        await anyio.sleep_forever()
                elif not self._waiting:  # the callers have left while the rate limiter was asked
                    await self._rate_limiter.release()
                else:
                    parcel = self._collect()
                    self._tasks.start_soon(self._carry, parcel)
        finally:
            self._pumping = False

    def _collect(self) -> Parcel:
        """Take the first call of the caller whose turn it is, and all of theirs that may travel with it."""
        company = self._waiting.take(self._joins)
        parcel = Parcel(company, len(company))
        for ticket in company:
            ticket.parcel = parcel
            ticket.flight.place = None
        return parcel

    def _joins(self, ticket: Ticket) -> bool:
        flight = ticket.flight
        return not flight.alone and flight.request.method not in self._unbatchable and fits(flight.request)

    async def _carry(self, parcel: Parcel) -> None:
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

    async def _ask(self, request: Request[object], flights: Sequence[Flight]) -> ApiResult:
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
                await self._rate_limiter.exhaust()
            raise
        finally:
            for flight in flights:
                flight.under_way = False
            await self._rate_limiter.release()
