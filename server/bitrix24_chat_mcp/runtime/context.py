"""What the tools stand on while the server runs: a line to the portal, and whose it is."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from bitrix24_chat_mcp.portal.api.client import Portal, Send
from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.rest import Post
from bitrix24_chat_mcp.portal.transport.pipeline import open_pipeline
from bitrix24_chat_mcp.settings.load import Settings

from .caller import CredentialProvider, caller
from .chat_cache import FRESH, ChatCache
from .portal_access import PortalAccess

T = TypeVar("T")
_MOST_SEEN = 500  # users whose titles are remembered


@dataclass(frozen=True, slots=True)
class AppContext:
    """The running server as its tools see it.

    `who` gives the credentials of whoever is being served, or raises; `deadline` is how many seconds a call
    may take; `label` marks answers that are not a real portal's.
    """

    line: Send
    who: CredentialProvider
    deadline: float
    label: str = ""
    alone: bool = True
    """Whether no other server changes the same users' chats."""
    _heavy: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    _seen: OrderedDict[Credentials, ChatCache] = field(default_factory=OrderedDict["Credentials", ChatCache])

    async def aside(self, work: Callable[[], T]) -> T:
        """Do in a thread what would hold up other callers; one at a time, as two would be done no sooner."""
        return await to_thread.run_sync(work, limiter=self._heavy)

    async def portal(self) -> Portal:
        """Return the portal of the user who is being served; raise where nobody can tell."""
        return Portal(self.line, await self.who())

    def seen(self, portal: Portal) -> ChatCache:
        """Return what this process has seen of the user's chats."""
        seen = self._seen.setdefault(portal.credentials, ChatCache(FRESH if self.alone else 0.0))
        self._seen.move_to_end(portal.credentials)
        while len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return seen


@asynccontextmanager
async def app_lifespan(settings: Settings, entrance: PortalAccess) -> AsyncGenerator[AppContext]:
    """Make the service ready, without touching the network; close its connections in the end."""
    limits, sign_ins = settings.limits, entrance.sign_ins
    who = caller if settings.transport == "http" and settings.http.auth else entrance.owner
    portals = settings.http.portals if settings.transport == "http" else frozenset[str]()
    around = sign_ins.refreshing if sign_ins else _as_it_is
    shared = entrance.shared
    try:
        async with (
            shared.running() if shared else nullcontext(),
            open_pipeline(
                entrance.carrier,
                limits.of_line(portals),
                around=around,
                rate_limiter=shared.rate_limiter if shared else None,
                epochs=shared.epochs if shared else None,
            ) as line,
        ):
            label = "demo portal" if settings.demo else ""
            yield AppContext(line, who, limits.deadline, label, alone=shared is None)
    finally:
        await entrance.carrier.aclose()


def _as_it_is(post: Post) -> Post:
    return post
