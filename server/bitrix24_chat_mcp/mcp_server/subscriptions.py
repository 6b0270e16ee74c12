"""Subscriptions to `bitrix24://recent`: the portal is polled for as long as a client is subscribed.

Each poll asks only for what changed since the one before, through the pipeline, so it stays inside the
portal's limits. A client hears of its user's chats alone: the poll runs with the credentials of the request
that subscribed. Before each poll the caller is authenticated again; when access is gone, the subscription
ends.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
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
from bitrix24_chat_mcp.portal.transport.engine_use import new_use
from bitrix24_chat_mcp.runtime.caller import EVERY, CallerToken, current_caller
from bitrix24_chat_mcp.runtime.context import AppContext

from .request_context import RequestContext
from .resources import RECENT

_logger = logging.getLogger(__name__)
_Fingerprint = tuple[str, int, int, bool, bool]


async def watch_streams(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Poll while a `subscriptions/listen` stream (2026-07-28) is open that asks for it; a middleware."""
    if ctx.method != "subscriptions/listen":
        return await call_next(ctx)

    async def notify() -> None:
        notification = event_to_notification(
            ResourceUpdated(uri=RECENT), {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
        )
        await ctx.session.send_notification(notification, related_request_id=ctx.request_id)

    ctx = _honoured(ctx)
    changes = _Changes(ctx.lifespan_context) if RECENT in _wanted(ctx.params) else None
    with anyio.CancelScope() as stream:
        poll = asyncio.create_task(_poll(current_caller, changes, notify))
        poll.add_done_callback(lambda _: stream.cancel())
        try:
            return await call_next(ctx)
        finally:
            poll.cancel()
    raise MCPError(INVALID_REQUEST, "The user's access has ended. Sign in and subscribe again.")


@dataclass(slots=True)
class _Subscription:
    """A session that has subscribed, and the caller of its latest request, whose token is the newest."""

    caller: CallerToken | None
    poll: asyncio.Task[None] | None = None


class Subscriptions:
    """The handlers of `resources/subscribe` and its opposite, for the protocol's earlier era."""

    def __init__(self) -> None:
        self._subscribed: dict[object, _Subscription] = {}

    async def subscribe(self, ctx: RequestContext, params: SubscribeRequestParams) -> EmptyResult:
        """Start to poll for a session; a handler. Any other resource is accepted, and never changes."""
        session = _session(ctx)
        if str(params.uri) == RECENT and session not in self._subscribed:
            subscription = self._subscribed[session] = _Subscription(current_caller())
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
        """Stop to poll for a session; a handler."""
        if str(params.uri) == RECENT:
            self._end(_session(ctx))
        return EmptyResult()

    async def note_caller(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        """Remember the caller of a session's latest request; a middleware."""
        if self._subscribed and (subscription := self._subscribed.get(_session(ctx))):
            subscription.caller = current_caller()
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


def _honoured(ctx: RequestContext) -> RequestContext:
    """Leave of the resources that a stream asks for only what is watched: the SDK acknowledges them all."""
    if not (wanted := _wanted(ctx.params)) or ctx.params is None:
        return ctx
    watched = {**ctx.params["notifications"], "resourceSubscriptions": [RECENT] if RECENT in wanted else []}
    return replace(ctx, params={**ctx.params, "notifications": watched})


def _wanted(params: Mapping[str, Any] | None) -> list[str]:
    try:
        wanted = SubscriptionsListenRequestParams.model_validate(params).notifications
    except ValidationError:  # the SDK will say so
        return []
    return wanted.resource_subscriptions or []


async def _poll(
    caller: Callable[[], CallerToken | None],
    changes: "_Changes | None",
    notify: Callable[[], Awaitable[None]],
) -> None:
    """Notify of changes until the caller's access is gone. Without `changes`, only wait for that."""
    async with changes.watched() if changes else nullcontext(asyncio.Event()) as written:
        while True:
            with new_use():
                if (token := caller()) and not await token.still_admitted():
                    break
                own = written.is_set()
                written.clear()
                if changes and (await changes.poll() or own):
                    await notify()
            with anyio.move_on_after(changes.pause if changes else EVERY):
                await written.wait()
    _logger.info("a subscription has ended: its user's access is gone")


@dataclass(slots=True)
class _Changes:
    """What has changed among the recent chats from one poll to the next."""

    context: AppContext
    pause: float = 0.0
    """Seconds until the next poll."""
    _since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _listed: set[_Fingerprint] = field(default_factory=set[_Fingerprint])

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[asyncio.Event]:
        """Give an event that is set by this server's own writes: no list shows that a chat was muted, say."""
        try:
            user = await self.context.credentials()
        except PortalError:  # the polls will fail, too
            yield asyncio.Event()
        else:
            with self.context.writes.watch(user) as event:
                yield event

    async def poll(self) -> bool:
        """Ask the portal; tell whether anything has changed. The first poll only learns the portal's time."""
        try:
            listing = await (await self.context.portal()).recent((), self._since)
        except PortalError as error:
            _logger.info("poll for a subscription: %s", error.code)
            self.pause = min(max(self.pause, EVERY) * 2, EVERY * 10)
            return False
        now = set(map(_fingerprint, listing.chats))
        changed = bool(self.pause and now - self._listed)  # chats of that very second are listed again
        self._since, self._listed, self.pause = listing.as_of or datetime.now(UTC), now, EVERY
        return changed


def _fingerprint(chat: Chat) -> _Fingerprint:
    return chat.dialog_id, chat.message.id, chat.unread, chat.pinned, chat.marked_unread
