"""Webhooks of callers: the portal has to confirm each one before it counts.

A stranger can invent webhooks. Until the portal has confirmed one, it opens no session, is named in no audit
record, and can do nothing but ask for its own verification, which is limited for each network.
"""

import asyncio

from anyio import current_time
from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.client import Send, read_profile
from bitrix24_chat_mcp.portal.api.credentials import Webhook
from bitrix24_chat_mcp.portal.api.errors import ApiError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.call_context import deadline

from .attempts import PATIENCE, AttemptLimiter, Refusals

VERIFIED_SECONDS = 300.0
"""How long a confirmation by the portal holds."""
REFUSED_SECONDS = 30.0
"""How long a refused webhook is refused without asking the portal again."""
_MOST_REMEMBERED = 10_000


class WebhookVerifier:
    """Remembers which webhooks the portal has confirmed, and which it has refused."""

    def __init__(self, send: Send, refusals: Refusals | None = None) -> None:
        self._send = send
        self._verified: TTLCache[Webhook, bool] = TTLCache(_MOST_REMEMBERED, VERIFIED_SECONDS, current_time)
        self._refused: TTLCache[Webhook, str] = TTLCache(_MOST_REMEMBERED, REFUSED_SECONDS, current_time)
        self._running: dict[Webhook, asyncio.Task[None]] = {}
        self._limiter = AttemptLimiter(
            refused="The portal has refused too many webhooks from this address.",
            late="The portal has not confirmed this webhook in time.",
            everywhere=refusals,
        )

    async def verify(self, webhook: Webhook, address: str) -> None:
        """Return when the portal has confirmed the webhook; raise the PortalError that says why not.

        `address` is the caller's. An ApiError that is not transient means that the webhook is wrong; any
        other error means that nobody can tell now.
        """
        if webhook in self._verified:
            return
        if code := self._refused.get(webhook):
            raise ApiError(code)
        if (running := self._running.get(webhook)) is None:
            running = asyncio.create_task(self._verify(webhook, address))
            self._running[webhook] = running
            running.add_done_callback(lambda done: self._finish(webhook, done))
        await asyncio.shield(running)

    def _finish(self, webhook: Webhook, done: asyncio.Task[None]) -> None:
        del self._running[webhook]
        if not done.cancelled():
            done.exception()  # raised in the callers that still wait; there may be none

    async def _verify(self, webhook: Webhook, address: str) -> None:
        try:
            async with self._limiter.attempt(address):
                await self._ask(webhook)
        except ApiError as error:
            if not error.transient:
                self._refused[webhook] = error.code
            raise
        self._verified[webhook] = True

    async def _ask(self, webhook: Webhook) -> None:
        with deadline(PATIENCE):
            profile = await self._send(Request(webhook, "profile", {}, reader=read_profile))
        if webhook.user.isdigit() and webhook.user != profile.result.user:
            raise ApiError("INVALID_CREDENTIALS")
