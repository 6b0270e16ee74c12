"""Subscriptions to `bitrix24://recent`: a poll for as long as somebody listens, and not longer.

Each poll asks only for what changed since the one before, through the line that everything goes through,
so it stays inside the portal's limits. A listener hears of the user's own chats alone: the poll runs with
the credentials of the request that subscribed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY, ResourceUpdated, event_to_notification
from mcp_types import (
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)
from pydantic import ValidationError

from .asking import Asked
from .portal.errors import PortalError
from .portal.models import Chat
from .resources import RECENT

EVERY = 30.0
"""Seconds between two polls."""
_logger = logging.getLogger(__name__)
_Trace = tuple[str, int, int, bool, bool]


async def watch_streams(ctx: Asked, call_next: CallNext) -> HandlerResult:
    """Poll while a `subscriptions/listen` stream (2026-07-28) is open that asks for it; a middleware."""
    if ctx.method != "subscriptions/listen" or RECENT not in _wanted(ctx.params):
        return await call_next(ctx)

    async def tell() -> None:
        notification = event_to_notification(
            ResourceUpdated(uri=RECENT), {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
        )
        await ctx.session.send_notification(notification, related_request_id=ctx.request_id)

    poll = asyncio.create_task(_poll(ctx, tell))
    try:
        return await call_next(ctx)
    finally:
        poll.cancel()


class Subscriptions:
    """The handlers of `resources/subscribe` and its opposite, for the protocol's earlier era."""

    def __init__(self) -> None:
        self._polls: dict[object, asyncio.Task[None]] = {}

    async def subscribe(self, ctx: Asked, params: SubscribeRequestParams) -> EmptyResult:
        """Begin to poll for a session."""
        if str(params.uri) == RECENT and _session(ctx) not in self._polls:
            poll = asyncio.create_task(_poll(ctx, lambda: ctx.session.send_resource_updated(RECENT)))
            self._polls[_session(ctx)] = poll
            _session(ctx).exit_stack.callback(self._end, _session(ctx))
        return EmptyResult()

    async def unsubscribe(self, ctx: Asked, params: UnsubscribeRequestParams) -> EmptyResult:
        """End it."""
        if str(params.uri) == RECENT:
            self._end(_session(ctx))
        return EmptyResult()

    def _end(self, session: object) -> None:
        if poll := self._polls.pop(session, None):
            poll.cancel()


def _session(ctx: Asked) -> Any:  # noqa: ANN401
    # The SDK has no public name for the connection, whose end is the end of its subscriptions.
    return ctx.session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _wanted(params: Mapping[str, Any] | None) -> list[str]:
    try:
        wanted = SubscriptionsListenRequestParams.model_validate(params).notifications
    except ValidationError:  # the SDK will say so
        return []
    return wanted.resource_subscriptions or []


async def _poll(ctx: Asked, tell: Callable[[], Awaitable[None]]) -> None:
    with suppress(PortalError):  # nothing is configured, so nothing will change
        portal = ctx.lifespan_context.portal()
        since, seen, pause = datetime.now(UTC), set[_Trace](), 0.0
        while True:
            try:
                listing = await portal.recent((), since)
            except PortalError as error:
                _logger.info("poll for a subscription: %s", error.code)
                pause = min(max(pause, EVERY) * 2, EVERY * 10)
            else:
                now = set(map(_trace, listing.chats))
                # The first poll only learns the portal's clock; those of the very second come again.
                if pause and now - seen:
                    await tell()
                since, seen, pause = listing.as_of or datetime.now(UTC), now, EVERY
            await asyncio.sleep(pause)


def _trace(chat: Chat) -> _Trace:
    return chat.dialog_id, chat.message.id, chat.unread, chat.pinned, chat.marked_unread
