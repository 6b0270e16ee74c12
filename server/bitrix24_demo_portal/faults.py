"""Faults that a test injects: what goes wrong, and with which of the following calls."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Literal

Calls = int | str | Container[int] | None
"""Which calls fail, from 1: a number, a set or range, `"2"`, `"1,4-6"`, `"3-"`; None or `"*"` for all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One way to fail. The first group replaces the answer; the second changes or delays the real one."""

    status: int | None = None
    """Answer with this status, and with `body` if given, else with nothing."""
    body: object = None
    """str and bytes are sent as they are, all else as JSON."""
    error: str | None = None
    """A REST error by its code, with the portal's text and status; inside a batch, that command's error."""
    text: str | None = None
    """Another `error_description` for `error`."""
    html: bool = False
    """A proxy's HTML page, 502 unless `status` says otherwise."""
    redirect: str | None = None
    """302 to this address; an origin alone gets the request's own path."""
    performed: bool = False
    """The method takes effect all the same: only its answer is lost."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """More headers, or others."""
    close: Literal["before", "middle"] | None = None
    """Drop the connection before the answer, or in its middle."""
    silent: bool = False
    """No answer ever comes."""
    truncate: int | None = None
    """Only that many bytes, with a Content-Length to match."""
    drip: float | None = None
    """Seconds between single bytes."""
    delay: float = 0.0
    """Seconds before the answer."""
    full_bucket: bool = False
    """The rate limiter's bucket is full: 503, and it drains from there."""
    expire: bool = False
    """All access tokens expire at once."""

    @property
    def replaces(self) -> bool:
        """Tell whether the fault gives the answer."""
        given = (self.status, self.body, self.error, self.redirect)
        return self.html or any(value is not None for value in given)

    @property
    def performs(self) -> bool:
        """Tell whether the method runs all the same."""
        return self.performed or not (self.replaces or self.close == "before" or self.silent)


NO_FAULT = Fault()


class FaultPlan:
    """The faults to come, each with its own count of calls."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, method: str, fault: Fault, calls: Calls) -> None:
        """From now on, count the calls of a method (`*` for any) and let the chosen ones fail."""
        self._rules.append(_Rule(method.lower(), fault, _chooser(calls)))

    def next_fault(self, method: str, *, in_batch: bool = False) -> Fault:
        """Count a call, and return its fault; of several the latest added wins.

        A command inside a batch is a call of its method, but not of `*`, which means requests.
        """
        names = {method} if in_batch else {method, "*"}
        hit = [rule.fault for rule in reversed(self._rules) if rule.method in names and rule.counts()]
        return hit[0] if hit else NO_FAULT

    def clear(self) -> None:
        """Remove all faults."""
        self._rules.clear()


@dataclass(slots=True)
class _Rule:
    method: str
    fault: Fault
    chosen: Callable[[int], bool]
    calls: int = 0

    def counts(self) -> bool:
        self.calls += 1
        return self.chosen(self.calls)


def _chooser(calls: Calls) -> Callable[[int], bool]:
    if calls is None or calls == "*":
        return lambda _: True
    if isinstance(calls, int):
        return lambda number: number == calls
    if isinstance(calls, str):
        ranges = [_range(part) for part in calls.split(",")]
        return lambda number: any(number in part for part in ranges)
    return lambda number: number in calls


def _range(part: str) -> range:
    first, dash, last = part.strip().partition("-")
    if not dash:
        return range(int(first), int(first) + 1)
    return range(int(first), int(last) + 1 if last else 2**63)
