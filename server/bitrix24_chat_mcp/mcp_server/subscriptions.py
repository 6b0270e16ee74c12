"""Subscriptions to `bitrix24://recent`: a poll for as long as somebody listens, and not longer.

Each poll asks only for what changed since the one before, through the line that everything goes through,
so it stays inside the portal's limits. A listener hears of the user's own chats alone: the poll runs with
the credentials of the request that subscribed. Before each poll the gate is asked again; when the user's
access is gone, the subscription ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY, ResourceUpdated, event_to_notification
from mcp_types import (
    INVALID_REQUEST,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)
from pydantic import ValidationError

from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.api.models import Chat
from bitrix24_chat_mcp.runtime.caller import CallerToken, current_pass
from bitrix24_chat_mcp.runtime.context import AppContext

from .request_context import RequestContext
from .resources import RECENT

EVERY = 30.0
"""Seconds between two polls, and between two questions to the gate."""
_logger = logging.getLogger(__name__)
_Trace = tuple[str, int, int, bool, bool]


async def watch_streams(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Poll while a `subscriptions/listen` stream (2026-07-28) is open that asks for it; a middleware."""
    if ctx.method != "subscriptions/listen":
        return await call_next(ctx)

    async def tell() -> None:
        notification = event_to_notification(
            ResourceUpdated(uri=RECENT), {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
        )
        await ctx.session.send_notification(notification, related_request_id=ctx.request_id)

    changes = _Changes(ctx.lifespan_context) if RECENT in _wanted(ctx.params) else None
    with anyio.CancelScope() as stream:
        poll = asyncio.create_task(_poll(current_pass, changes, tell))
        poll.add_done_callback(lambda _: stream.cancel())
        try:
            return await call_next(ctx)
        finally:
            poll.cancel()
    raise MCPError(INVALID_REQUEST, "The user's access has ended. Sign in and subscribe again.")


@dataclass(slots=True)
class _Subscription:
    """A session that has subscribed, and the caller of its latest request: tokens are renewed meanwhile."""

    caller: CallerToken | None
    poll: asyncio.Task[None] | None = None


class Subscriptions:
    """The handlers of `resources/subscribe` and its opposite, for the protocol's earlier era."""

    def __init__(self) -> None:
        self._subscribed: dict[object, _Subscription] = {}

    async def subscribe(self, ctx: RequestContext, params: SubscribeRequestParams) -> EmptyResult:
        """Begin to poll for a session."""
        session = _session(ctx)
        if str(params.uri) == RECENT and session not in self._subscribed:
            subscription = self._subscribed[session] = _Subscription(current_pass())
            subscription.poll = asyncio.create_task(
                _poll(
                    lambda: subscription.caller,
                    _Changes(ctx.lifespan_context),
                    lambda: ctx.session.send_resource_updated(RECENT),
                )
            )
            subscription.poll.add_done_callback(lambda _: self._forget(session, subscription))
            session.exit_stack.callback(self._end, session)
        return EmptyResult()

    async def unsubscribe(self, ctx: RequestContext, params: UnsubscribeRequestParams) -> EmptyResult:
        """End it."""
        if str(params.uri) == RECENT:
            self._end(_session(ctx))
        return EmptyResult()

    async def note_caller(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        """Remember who has asked last in a session; a middleware."""
        if self._subscribed and (subscription := self._subscribed.get(_session(ctx))):
            subscription.caller = current_pass()
        return await call_next(ctx)

    def _end(self, session: object) -> None:
        if (subscription := self._subscribed.pop(session, None)) and subscription.poll:
            subscription.poll.cancel()

    def _forget(self, session: object, subscription: _Subscription) -> None:
        if self._subscribed.get(session) is subscription:
            del self._subscribed[session]


def _session(ctx: RequestContext) -> Any:  # noqa: ANN401
    # The SDK has no public name for the connection, whose end is the end of its subscriptions.
    return ctx.session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _wanted(params: Mapping[str, Any] | None) -> list[str]:
    try:
        wanted = SubscriptionsListenRequestParams.model_validate(params).notifications
    except ValidationError:  # the SDK will say so
        return []
    return wanted.resource_subscriptions or []


async def _poll(
    caller: Callable[[], CallerToken | None], changes: "_Changes | None", tell: Callable[[], Awaitable[None]]
) -> None:
    """Tell of changes until the caller's access is gone. Without `changes`, only wait for that."""
    while (asked := caller()) is None or await asked.still_admitted():
        if changes and await changes.ask():
            await tell()
        await asyncio.sleep(changes.pause if changes else EVERY)
    _logger.info("a subscription has ended: its user's access is gone")


@dataclass(slots=True)
class _Changes:
    """What has changed among the recent chats from one question to the next."""

    service: AppContext
    pause: float = 0.0
    """Seconds until the portal should be asked again."""
    _since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _seen: set[_Trace] = field(default_factory=set[_Trace])

    async def ask(self) -> bool:
        """Ask the portal; tell whether anything has changed. The first time only teaches its clock."""
        try:
            listing = await (await self.service.portal()).recent((), self._since)
        except PortalError as error:
            _logger.info("poll for a subscription: %s", error.code)
            self.pause = min(max(self.pause, EVERY) * 2, EVERY * 10)
            return False
        now = set(map(_trace, listing.chats))
        changed = bool(self.pause and now - self._seen)  # those of the very second come again
        self._since, self._seen, self.pause = listing.as_of or datetime.now(UTC), now, EVERY
        return changed


def _trace(chat: Chat) -> _Trace:
    return chat.dialog_id, chat.message.id, chat.unread, chat.pinned, chat.marked_unread
