"""The portal's two limits: a leaky bucket for requests, and execution time in sliding windows."""

import math
from dataclasses import dataclass, field

WINDOW = 600.0
_MINUTE = 60.0
_FREE = 0.1  # a run of up to 0.1 s is not counted


@dataclass(slots=True)
class LeakyBucket:
    """Requests by address: each adds one, `rate` drain a second, and above `burst` the answer is 503."""

    levels: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])

    def try_acquire(self, client: str, now: float, rate: float, burst: float) -> bool:
        """Count a request, unless the bucket would overflow."""
        if math.isinf(rate):
            return True
        level, at = self.levels.get(client, (0.0, now))
        level = max(0.0, level - (now - at) * rate)
        admitted = level + 1 <= burst
        self.levels[client] = (level + admitted, now)
        return admitted

    def exhaust(self, client: str, now: float, burst: float) -> None:
        """Make the bucket full, as requests of others at this address would."""
        self.levels[client] = (burst, now)


@dataclass(slots=True)
class OperatingTime:
    """Execution time by caller and method, over the last ten minutes."""

    minutes: dict[tuple[str, str], dict[int, tuple[float, float]]] = field(
        default_factory=dict[tuple[str, str], dict[int, tuple[float, float]]],
    )

    def charge(self, caller: str, method: str, seconds: float, now: float) -> None:
        """Add a run, if it was long enough to count."""
        if seconds <= _FREE:
            return
        minutes = self.minutes.setdefault((caller, method), {})
        first, spent = minutes.get(int(now // _MINUTE), (now, 0.0))
        minutes[int(now // _MINUTE)] = (first, spent + seconds)

    def spent(self, caller: str, method: str, now: float) -> float:
        """Return the seconds charged within the window."""
        return sum(spent for _, spent in self._recent(caller, method, now))

    def reset_at(self, caller: str, method: str, now: float) -> int:
        """Return when the oldest charged minute leaves the window, in unix seconds."""
        return int(min((first for first, _ in self._recent(caller, method, now)), default=now) + WINDOW)

    def _recent(self, caller: str, method: str, now: float) -> list[tuple[float, float]]:
        return [run for run in self.minutes.get((caller, method), {}).values() if run[0] + WINDOW > now]
