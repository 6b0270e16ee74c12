"""One tool call as the pipeline sees it: its deadline, its progress reports, its notices.

It travels in a context variable, so that all requests of a tool call share one deadline without being
handed through every function.
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from random import getrandbits

import anyio

from .engine_use import current_use, new_use

Report = Callable[[float, str], Awaitable[None]]
"""Takes the seconds waited so far and a sentence."""


@dataclass(eq=False, slots=True)
class CallContext:
    """A call that may take `seconds`, until `deadline` by the event loop's clock."""

    deadline: float
    seconds: float
    id: str = field(default_factory=lambda: f"{getrandbits(32):08x}")
    report: Report | None = None
    notices: list[str] = field(default_factory=list[str])
    """Sentences for the caller that come once, beside the answer."""

    def time_left(self) -> float:
        """Return the seconds that are left; negative when time is up."""
        return self.deadline - anyio.current_time()


_current: ContextVar[CallContext | None] = ContextVar("call", default=None)


def current_call() -> CallContext | None:
    """Return the call that the running code belongs to."""
    return _current.get()


def add_notice(notice: str) -> None:
    """Tell the current call's caller something once, beside the answer."""
    if call := current_call():
        call.notices.append(notice)


def pop_notices() -> list[str]:
    """Return and clear the current call's notices."""
    call = current_call()
    if call is None:
        return []
    notices, call.notices = call.notices, []
    return notices


@contextmanager
def deadline(seconds: float, report: Report | None = None) -> Generator[CallContext]:
    """Run what is inside as one call that may take `seconds`, all its requests together."""
    call, token = begin_call(seconds, report)
    try:
        with nullcontext() if current_use() else new_use():
            yield call
    finally:
        end_call(token)


def begin_call(seconds: float, report: Report | None = None) -> tuple[CallContext, Token[CallContext | None]]:
    """Begin a call that may take `seconds`, until `end_call`: what `deadline` does, for every request."""
    call = CallContext(anyio.current_time() + seconds, seconds, report=report)
    return call, _current.set(call)


def end_call(token: Token[CallContext | None]) -> None:
    """End the call that was begun with this token."""
    _current.reset(token)


def restart_deadline() -> None:
    """Give the current call its whole time again: a person was asked meanwhile, and took theirs."""
    if call := current_call():
        call.deadline = anyio.current_time() + call.seconds
