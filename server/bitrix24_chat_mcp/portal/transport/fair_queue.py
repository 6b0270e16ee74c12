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

from .outgoing import Outgoing, RetryOutsideBatch
from .progress import QueuePosition

Outcome = ApiResult | PortalError | RetryOutsideBatch


@dataclass(eq=False, slots=True)
class Waiter:
    """A call in the queue, later in a request that is under way."""

    outgoing: Outgoing
    done: anyio.Event = field(default_factory=anyio.Event)
    outcome: Outcome = field(default_factory=PipelineClosedError)

    @property
    def caller(self) -> Credentials:
        """Whose call it is."""
        return self.outgoing.request.credentials

    def resolve(self, outcome: Outcome) -> None:
        """Wake the call with its outcome."""
        self.outcome = outcome
        self.done.set()


class FairQueue:
    """A queue from which `rate` requests leave a second, each with calls of one caller."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._callers: OrderedDict[Credentials, deque[Waiter]] = OrderedDict()  # the next turn first

    def __len__(self) -> int:
        return sum(map(len, self._callers.values()))

    def __contains__(self, waiter: Waiter) -> bool:
        return waiter in self._callers.get(waiter.caller, ())

    def callers(self) -> list[Credentials]:
        """Return all callers, the one whose turn is next first."""
        return list(self._callers)

    def add(self, waiter: Waiter) -> bool:
        """Put a call behind the others of its caller; tell whether the caller has only this one."""
        own = self._callers.setdefault(waiter.caller, deque())
        own.append(waiter)
        return len(own) == 1

    def remove(self, waiter: Waiter) -> None:
        """Take a call out."""
        own = self._callers[waiter.caller]
        own.remove(waiter)
        if not own:
            del self._callers[waiter.caller]

    def take(self, caller: Credentials, is_batchable: Callable[[Outgoing], bool]) -> list[Waiter]:
        """Remove the first call of a caller, and those that fit its batch.

        Where the caller has none any more, the one whose turn is next takes its place.
        """
        if caller not in self._callers:
            caller = next(iter(self._callers))
        waiting = self._callers.pop(caller)
        taken = [waiting.popleft()]
        if is_batchable(taken[0].outgoing):
            fitting = (waiter for waiter in waiting if is_batchable(waiter.outgoing))
            taken += [waiter for waiter, _ in zip(fitting, range(LARGEST - 1), strict=False)]
            waiting = deque(waiter for waiter in waiting if waiter not in taken)
        if waiting:
            self._callers[caller] = waiting
        return taken

    def least_urgent(self, new: Waiter) -> Waiter:
        """Return the last call of the caller who has the most; the new one where its caller has as many."""
        longest = max(self._callers.values(), key=len)
        return longest[-1] if len(self._callers[new.caller]) < len(longest) else new

    def position(self, waiter: Waiter) -> QueuePosition:
        """Return how many calls leave before one, and in how many seconds it leaves, about."""
        if waiter not in self:
            return QueuePosition(0, 1 / self._rate)
        calls = self._callers[waiter.caller].index(waiter)
        turns = own_turns = calls // LARGEST
        sooner = True
        for caller, waiting in self._callers.items():
            if caller == waiter.caller:
                sooner = False  # the callers behind have each of their turns later
                continue
            before = min(len(waiting), (own_turns + sooner) * LARGEST)
            turns, calls = turns + ceil(before / LARGEST), calls + before
        return QueuePosition(calls, (turns + 1) / self._rate)
