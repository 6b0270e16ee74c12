"""The limits that a line to the portal keeps: the portal's, and the caller's."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed; the defaults are what Bitrix24 documents for every plan but Enterprise."""

    rate: float = 2.0
    """Requests that the portal's bucket drains a second, for each portal and address (Enterprise: 5)."""
    burst: int = 50
    """Requests that the bucket holds before the portal answers 503 (Enterprise: 250)."""
    deadline: float = 20.0
    """Seconds for one call, whatever happens in them; hosts give up after sixty."""
    attempts: int = 4
    """How often a request is made in all, where repeating it can help."""
    queue: int = 200
    """Calls that may wait for one portal's bucket."""
    cache: float = 3.0
    """Seconds for which an answer may serve a repeated read of the same user; 0 switches that off."""
    cache_bytes: int = 32 * MIB
    """What all kept answers may weigh together."""
    moves_to: frozenset[str] = frozenset()
    """Hosts to which a portal may move, beside those of its own registrable domain."""
    portals: frozenset[str] = frozenset()
    """Where not empty, the only portals that callers may be of, hence may move to; `*.` is one label."""
