"""What the tools stand on while the server runs: a line to the portal, and whose it is."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from .callers import caller
from .config import Settings
from .entrance import Entrance
from .portal.auth import Credentials
from .portal.client import Line, Portal
from .portal.line import open_line
from .portal.rest import Post
from .portal.seen import Seen

T = TypeVar("T")
_MOST_SEEN = 500  # users whose titles are remembered


@dataclass(frozen=True, slots=True)
class Service:
    """The running server as its tools see it.

    `who` gives the credentials of whoever is being served, or raises; `deadline` is how many seconds a call
    may take; `label` marks answers that are not a real portal's.
    """

    line: Line
    who: Callable[[], Credentials]
    deadline: float
    label: str = ""
    _heavy: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    _seen: OrderedDict[Credentials, Seen] = field(default_factory=OrderedDict["Credentials", Seen])

    async def aside(self, work: Callable[[], T]) -> T:
        """Do in a thread what would hold up other callers; one at a time, as two would be done no sooner."""
        return await to_thread.run_sync(work, limiter=self._heavy)

    def portal(self) -> Portal:
        """Return the portal of the user who is being served; raise where nobody can tell."""
        return Portal(self.line, self.who())

    def seen(self, portal: Portal) -> Seen:
        """Return what this process has seen of the user's chats."""
        seen = self._seen.setdefault(portal.credentials, Seen())
        self._seen.move_to_end(portal.credentials)
        while len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return seen


@asynccontextmanager
async def open_service(settings: Settings, entrance: Entrance) -> AsyncGenerator[Service]:
    """Make the service ready, without touching the network; close its connections in the end."""
    limits, sign_ins = settings.limits, entrance.sign_ins
    who = caller if settings.transport == "http" and settings.http.auth else entrance.owner
    portals = settings.http.portals if settings.transport == "http" else frozenset[str]()
    around = sign_ins.around if sign_ins else _as_it_is
    try:
        async with open_line(entrance.carrier, limits.of_line(portals), around=around) as line:
            yield Service(line, who, limits.deadline, "demo portal" if settings.demo else "")
    finally:
        await entrance.carrier.aclose()


def _as_it_is(post: Post) -> Post:
    return post
