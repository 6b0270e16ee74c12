"""The whole way from a caller to a portal and back, put together.

    share      one task for each request; callers come and go, each by its deadline
    retry      again, when that can help
    moves      at the portal's present address
    dispatch   when the bucket allows it, alone or as a batch; one for each portal
    carrier    over HTTP, and what came back deciphered

Each part calls the next and knows nothing of the others.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from bitrix24_chat_mcp.portal.api.rest import ApiResult, Post, Request, parse_response

from .coalescing import Epochs, RequestCoalescer
from .flight import Flight
from .http_client import HttpClient
from .limits import Limits
from .rate_limit import LeakyBucket, RateLimiter
from .redirects import RedirectFollower
from .retry import Retry
from .scheduler import BatchScheduler
from .telemetry import Telemetry

T = TypeVar("T")
_PORTALS = 1000


class RequestPipeline:
    """A line to any number of portals for any number of users; `open_line` makes one."""

    def __init__(self, share: RequestCoalescer, dispatches: dict[str, BatchScheduler]) -> None:
        self._share = share
        self._dispatches = dispatches

    async def __call__(self, request: Request[T]) -> ApiResult[T]:
        """Return the portal's answer, read, or raise a PortalError."""
        return await self._share(request)

    async def aclose(self) -> None:
        """Break off what is under way; leaving `open_line` does it, too."""
        await self._share.aclose()

    @property
    def idle(self) -> bool:
        """Tell whether nobody waits and nothing is under way."""
        return self._share.idle and all(dispatch.idle for dispatch in self._dispatches.values())


@asynccontextmanager
async def open_pipeline(
    carrier: HttpClient,
    limits: Limits | None = None,
    *,
    around: Callable[[Post], Post] = lambda post: post,
    rate_limiter: Callable[[str], RateLimiter] | None = None,
    epochs: Epochs | None = None,
    jitter: Random | None = None,
) -> AsyncGenerator[RequestPipeline]:
    """Open the line; closing it cancels what is under way. The carrier stays open, it is the caller's.

    `around` wraps each single REST request, below batches and retries: the place to renew credentials.
    `rate_limiter` takes a portal's origin and returns its rate limiter; the default keeps a bucket for each
    portal in this process. `epochs` tell which answers are too old because of another server's writes.
    """
    limits = limits or Limits()
    telemetry = Telemetry()
    dispatches: dict[str, BatchScheduler] = {}
    post = around(partial(_post, carrier))

    def limiter(portal: str) -> RateLimiter:
        return rate_limiter(portal) if rate_limiter else LeakyBucket(limits.rate, limits.burst)

    async with _task_group() as tasks:

        async def dispatch(flight: Flight) -> ApiResult:
            portal = flight.request.credentials.portal
            if portal not in dispatches:
                _forget_idle(dispatches)
                dispatches[portal] = BatchScheduler(post, limits, tasks, telemetry, limiter(portal))
            return await dispatches[portal](flight)

        retry = Retry(RedirectFollower(dispatch, limits), limits, telemetry, jitter or Random())  # noqa: S311 - no secret
        line = RequestPipeline(RequestCoalescer(retry, limits, epochs), dispatches)
        try:
            yield line
        finally:
            await line.aclose()
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def _task_group() -> AsyncGenerator[TaskGroup]:
    """Open a task group that raises what happens inside as it is, not in an ExceptionGroup."""
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        error = next(iter(group.exceptions))
        raise error from None


def _forget_idle(dispatches: dict[str, BatchScheduler]) -> None:
    """Make room for another portal: callers may name any number of them."""
    idle = [portal for portal, dispatch in dispatches.items() if dispatch.idle]
    for portal in idle[: max(0, len(dispatches) + 1 - _PORTALS)]:
        del dispatches[portal]


async def _post(carrier: HttpClient, request: Request[object]) -> ApiResult:
    return parse_response(await carrier.send(request), request.credentials.address(request.method))
