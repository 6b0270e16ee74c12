"""Calls that wait for one portal: each caller's in the order in which they came, and callers take turns."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

import anyio

from bitrix24_chat_mcp.portal.api.batch import LARGEST
from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PipelineClosedError, PortalError
from bitrix24_chat_mcp.portal.api.rest import ApiResult

from .flight import Flight, QueuePosition

Outcome = ApiResult | PortalError


@dataclass(eq=False, slots=True)
class Parcel:
    """Calls that travel in one request; `awaited` of them still have somebody who waits."""

    tickets: list["Ticket"]
    awaited: int
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


@dataclass(eq=False, slots=True)
class Ticket:
    """A place in the queue, and later in a parcel."""

    flight: Flight
    done: anyio.Event = field(default_factory=anyio.Event)
    outcome: Outcome = field(default_factory=PipelineClosedError)
    parcel: Parcel | None = None

    @property
    def caller(self) -> Credentials:
        """Whose call it is."""
        return self.flight.request.credentials

    def deliver(self, outcome: Outcome) -> None:
        """Tell the caller what became of the call."""
        self.outcome = outcome.twin() if isinstance(outcome, PortalError) else outcome
        self.done.set()


class FairQueue:
    """A queue from which `rate` requests leave a second, each with calls of one caller."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._callers: OrderedDict[Credentials, deque[Ticket]] = OrderedDict()  # the next turn first

    def __len__(self) -> int:
        return sum(map(len, self._callers.values()))

    def __contains__(self, ticket: Ticket) -> bool:
        return ticket in self._callers.get(ticket.caller, ())

    def add(self, ticket: Ticket) -> None:
        """Let a call wait."""
        self._callers.setdefault(ticket.caller, deque()).append(ticket)

    def remove(self, ticket: Ticket) -> None:
        """Let a call wait no more."""
        own = self._callers[ticket.caller]
        own.remove(ticket)
        if not own:
            del self._callers[ticket.caller]

    def take(self, joins: Callable[[Ticket], bool]) -> list[Ticket]:
        """Remove the first call of the caller whose turn it is, and those of theirs that may join it."""
        caller, waiting = self._callers.popitem(last=False)
        first = waiting.popleft()
        taken = [first]
        if joins(first):
            fitting = filter(joins, waiting)
            taken += [ticket for ticket, _ in zip(fitting, range(LARGEST - 1), strict=False)]
            waiting = deque(ticket for ticket in waiting if ticket not in taken)
        if waiting:
            self._callers[caller] = waiting
        return taken

    def least_urgent(self, new: Ticket) -> Ticket:
        """Return the last call of the caller who has the most; the new one where its caller has as many."""
        longest = max(self._callers.values(), key=len)
        return longest[-1] if len(self._callers[new.caller]) < len(longest) else new

    def place(self, ticket: Ticket) -> QueuePosition:
        """Tell how many calls leave before one, and when it leaves, about."""
        if ticket not in self:
            return QueuePosition(0, 1 / self._rate)
        calls = self._callers[ticket.caller].index(ticket)
        turns = own = calls // LARGEST
        sooner = True
        for caller, waiting in self._callers.items():
            if caller == ticket.caller:
                sooner = False  # those behind have each of their turns later
                continue
            due = min(len(waiting), (own + sooner) * LARGEST)
            turns, calls = turns + ceil(due / LARGEST), calls + due
        return QueuePosition(calls, (turns + 1) / self._rate)
