"""The stages that a request passes on its way to a portal, in this order.

    coalescing     one request for identical reads; each caller waits until its own deadline
    retry          sends it again, where that can help
    redirects      to the portal's present address
    scheduler      when the rate limit allows it, alone or as a part of a batch; one for each portal
    token refresh  `around`: with a new access token, where the old one has expired
    http_client    over HTTP

Each stage takes a value and returns the portal's answer or raises, and knows only the next stage.
"""

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from random import Random

import anyio
from anyio.abc import TaskGroup

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.rest import Post

from .coalescing import Epochs, RequestCoalescer
from .http_client import HttpClient
from .limits import MIB, Limits
from .rate_limit import LeakyBucket, RateLimiter
from .redirects import RedirectFollower
from .response_cache import ResponseCache
from .retry import Retry
from .scheduler import BatchScheduler, PortalSchedulers
from .telemetry import Telemetry

CACHE_BYTES = 32 * MIB
"""What all cached answers may take together."""


@asynccontextmanager
async def open_pipeline(  # noqa: PLR0913 - each stage has its own, by name
    client: HttpClient,
    limits: Limits | None = None,
    *,
    around: Callable[[Post], Post] = lambda post: post,
    rate_limiter: Callable[[str], RateLimiter] | None = None,
    epochs: Epochs | None = None,
    announce: Callable[[Credentials], None] = lambda _: None,
    portals: Collection[str] = (),
    cache_bytes: int = CACHE_BYTES,
    jitter: Random | None = None,
) -> AsyncGenerator["RequestPipeline"]:
    """Open a pipeline; closing it cancels what is under way. The HTTP client stays open.

    `around` wraps each REST request below batches and retries: the place to refresh tokens. `rate_limiter`
    takes a portal's origin and returns its rate limiter; the default is a bucket for each portal in this
    process. `epochs` tell which answers are too old because of another server's writes. `announce` is told
    of each write that is over, whatever came of it. `portals`, where not empty, are the only ones that
    callers may be redirected to beside `limits.moves_to`; `*.` in them stands for one label.
    """
    limits = limits or Limits()
    telemetry = Telemetry()

    def scheduler(portal: str) -> BatchScheduler:
        limiter = rate_limiter(portal) if rate_limiter else LeakyBucket(limits.rate, limits.burst)
        return BatchScheduler(post, limits, limiter, tasks, telemetry, client.threads)

    async with _task_group() as tasks:
        # Each stage takes the next one, so the last is made first.
        post = around(client.send)
        schedulers = PortalSchedulers(scheduler)
        redirects = RedirectFollower(schedulers, limits.moves_to, portals)
        retry = Retry(redirects, limits.attempts, telemetry, jitter or Random())  # noqa: S311 - no secret
        cache = ResponseCache(limits.cache, cache_bytes)
        coalescer = RequestCoalescer(retry, limits.deadline, cache, client.threads, epochs, announce)
        pipeline = RequestPipeline(coalescer, schedulers)
        try:
            yield pipeline
        finally:
            await pipeline.aclose()
            tasks.cancel_scope.cancel()


class RequestPipeline:
    """Carries requests to any number of portals for any number of users; `open_pipeline` makes one."""

    def __init__(self, coalescer: RequestCoalescer, schedulers: PortalSchedulers) -> None:
        self.send = coalescer
        """The first stage: returns the portal's answer, read, or raises a PortalError."""
        self._coalescer = coalescer
        self._schedulers = schedulers

    async def aclose(self) -> None:
        """Cancel what is under way, as leaving `open_pipeline` does."""
        await self._coalescer.aclose()

    @property
    def idle(self) -> bool:
        """Whether no caller waits and no request is under way."""
        return self._coalescer.idle and self._schedulers.idle

    @property
    def portals(self) -> int:
        """How many portals have a queue and a rate limiter in memory."""
        return len(self._schedulers)


@asynccontextmanager
async def _task_group() -> AsyncGenerator[TaskGroup]:
    """Open a task group that raises a single error from inside as it is, not in an ExceptionGroup."""
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        error = next(iter(group.exceptions))
        raise error from None
