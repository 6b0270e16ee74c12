"""The application's context: what tools, resources, prompts and authentication share while a server runs."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import TypeVar

from cachetools import LRUCache

from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PipelineClosedError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Post, Request
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.pipeline import RequestPipeline, open_pipeline
from bitrix24_chat_mcp.settings.load import Settings

from .caller import caller_credentials
from .chat_cache import FRESH, ChatCache
from .portal_access import open_portal_access
from .write_feed import WriteFeed

T = TypeVar("T")
_MOST_USERS = 500  # whose chats are remembered


class AppContext:
    """What lives and changes while a server runs: its pipeline, its threads, its caches of chats.

    It is made before the server runs; `running` opens it. `access`, a PortalAccess, is what the settings
    alone decide. `credentials` gives those of the user that is served, or raises; `deadline` is how many
    seconds a call may take; `confirm` says who asks before what has no undo; `label` marks answers that are
    not a real portal's; `structured` tells whether answers have structured content beside the text;
    `page_marks` whether the page may mark chats as read, for which it needs their last messages' ids.
    """

    def __init__(self, settings: Settings, http_client: HttpClient | None = None) -> None:
        http = settings.transport == "http"
        self.access = open_portal_access(settings, http_client)
        self.credentials = caller_credentials if http and settings.http.auth else self.access.credentials
        self.deadline = settings.limits.deadline
        self.confirm = settings.confirm
        self.label = "demo portal" if settings.demo else ""
        self.structured = settings.structured
        self.page_marks = settings.ui == "auto" and "mark_chat" in settings.tools
        self._limits = settings.limits
        self._portals = settings.http.portals if http else frozenset[str]()
        self.writes = WriteFeed()
        self._opened: RequestPipeline | None = None
        self._chats: LRUCache[Credentials, ChatCache] = LRUCache(_MOST_USERS)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["AppContext"]:
        """Open the pipeline, without touching the network; close it and its connections in the end."""
        refresher, shared = self.access.token_refresher, self.access.shared
        around = refresher.refreshing if refresher else _unchanged
        try:
            pipeline = open_pipeline(
                self.access.http_client,
                self._limits,
                around=around,
                rate_limiter=shared.rate_limiter if shared else None,
                epochs=shared.epochs if shared else None,
                announce=self.writes.announce,
                portals=self._portals,
            )
            async with shared.running() if shared else nullcontext(), pipeline as self._opened:
                yield self
        finally:
            self._opened = None
            await self.access.http_client.aclose()

    async def send(self, request: Request[T]) -> ApiResult[T]:
        """Send a request through the pipeline; raise a PortalError, also while the server does not run."""
        return await self._pipeline.send(request)

    async def portal(self) -> Portal:
        """Return the portal of the user that is served; raise where that is unknown."""
        return Portal(self._pipeline.send, await self.credentials())

    @property
    def _pipeline(self) -> RequestPipeline:
        if self._opened is None:
            raise PipelineClosedError
        return self._opened

    def chats(self, user: Credentials) -> ChatCache:
        """Return what this process knows of a user's chats."""
        return self._chats.setdefault(user, ChatCache(0.0 if self.access.shared else FRESH))

    async def run_in_thread(self, user: Credentials, work: Callable[[], T]) -> T:
        """Do in a thread what would hold up other callers; raise DeadlineError when it takes too long."""
        return await self.access.http_client.threads.run((user.portal, user.user), work)


def _unchanged(post: Post) -> Post:
    return post
