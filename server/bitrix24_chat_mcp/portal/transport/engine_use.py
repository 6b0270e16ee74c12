"""What one request of a client has had from the engine that several servers share.

It travels in a context variable, so that the engine's commands find it without being handed through every
function. Without one, as in background work, each command stands for itself.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

MOST_SECONDS = 0.25
Command = tuple[str | float | bytes, ...]


@dataclass(eq=False, slots=True)
class EngineUse:
    """How long the request may still wait for the engine, and what was read for it in advance.

    `first` is the first command that it read with.
    """

    seconds_left: float = MOST_SECONDS
    first: Command | None = None
    read_ahead: dict[Command, object] = field(default_factory=dict[Command, object])


_current: ContextVar[EngineUse | None] = ContextVar("engine_use", default=None)


def current_use() -> EngineUse | None:
    """Return that of the request which the running code belongs to."""
    return _current.get()


@contextmanager
def new_use() -> Generator[None]:
    """Run what is inside as one request: all its commands together wait MOST_SECONDS at most."""
    token = _current.set(EngineUse())
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def for_nobody() -> Generator[None]:
    """Run what is inside for no single request: what is done for all, or must be finished by all means."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)
