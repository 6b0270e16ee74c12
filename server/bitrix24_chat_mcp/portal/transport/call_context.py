"""One tool call as the portal's side sees it: how long it may take, and whom to tell.

It travels in a context variable, so that the several requests of one tool call share one deadline
without each function between handing it on.
"""

import secrets
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from .clock import now

Report = Callable[[float, str], Awaitable[None]]
"""Takes the seconds waited so far and a sentence."""


@dataclass(eq=False, slots=True)
class CallContext:
    """A call and its patience. `deadline` is a moment of the event loop's clock."""

    deadline: float
    seconds: float
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    report: Report | None = None
    notes: list[str] = field(default_factory=list[str])
    """What the caller should be told once, beside the answer."""

    def left(self) -> float:
        """Return the seconds that are left; negative when time is up."""
        return self.deadline - now()


_current: ContextVar[CallContext | None] = ContextVar("call", default=None)


def current_call() -> CallContext | None:
    """Return the call that this code runs for."""
    return _current.get()


def pop_notices() -> list[str]:
    """Return what the caller of now should be told once, beside the answer."""
    call = current_call()
    if call is None:
        return []
    told, call.notes = call.notes, []
    return told


@contextmanager
def deadline(seconds: float, report: Report | None = None) -> Generator[CallContext]:
    """Make everything inside one call that may take `seconds`, all requests together."""
    call = CallContext(now() + seconds, seconds, report=report)
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
