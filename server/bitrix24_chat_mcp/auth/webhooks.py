"""Webhooks of callers: each is shown to its portal once before it counts.

A stranger can invent webhooks. Until the portal has confirmed one, it opens no session, is named in no audit
line, and takes part in nothing but its own verification, which is bounded for each address.
"""

import asyncio
import ipaddress
from weakref import WeakValueDictionary

import msgspec
from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.client import Send
from bitrix24_chat_mcp.portal.api.credentials import Webhook
from bitrix24_chat_mcp.portal.api.errors import ApiError, InvalidResponseError, NotAuthenticatedError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.portal.transport.clock import now

VERIFIED_SECONDS = 300.0
"""How long the portal's word for a webhook holds."""
REFUSED_SECONDS = 30.0
"""How long a refused webhook is refused without asking the portal again."""
MOST_REFUSALS = 10
"""Refused webhooks after which an address has to pause for a minute before it may show a new one."""
_REFUSALS_SECONDS = 60.0
_AT_ONCE = 4  # verifications of one address
_PATIENCE = 10.0  # seconds that a verification may take
_MOST_REMEMBERED = 10_000


class _Profile(msgspec.Struct):
    ID: str | int


class WebhookVerifier:
    """Remembers which webhooks the portal has confirmed, and which it has refused."""

    def __init__(self, line: Send) -> None:
        self._line = line
        self._verified: TTLCache[Webhook, bool] = TTLCache(_MOST_REMEMBERED, VERIFIED_SECONDS, now)
        self._refused: TTLCache[Webhook, str] = TTLCache(_MOST_REMEMBERED, REFUSED_SECONDS, now)
        self._refusals: TTLCache[str, int] = TTLCache(_MOST_REMEMBERED, _REFUSALS_SECONDS, now)
        self._running: dict[Webhook, asyncio.Task[None]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def verify(self, webhook: Webhook, address: str) -> None:
        """Return when the portal has confirmed the webhook; raise the PortalError that says why not.

        `address` is the caller's. A RefusedError that is not transient means that the webhook is wrong; any
        other error, that nobody can tell now.
        """
        if webhook in self._verified:
            return
        if code := self._refused.get(webhook):
            raise ApiError(code)
        if (running := self._running.get(webhook)) is None:
            running = asyncio.create_task(self._ask_in_turn(webhook, network(address)))
            self._running[webhook] = running
            running.add_done_callback(lambda done: self._finish(webhook, done))
        await asyncio.shield(running)

    def _finish(self, webhook: Webhook, done: asyncio.Task[None]) -> None:
        del self._running[webhook]
        if not done.cancelled():
            done.exception()  # whoever still waits gets it; there may be nobody

    async def _ask_in_turn(self, webhook: Webhook, address: str) -> None:
        turns = self._turns.setdefault(address, asyncio.Semaphore(_AT_ONCE))
        try:
            async with asyncio.timeout(_PATIENCE), turns:
                if self._refusals.get(address, 0) >= MOST_REFUSALS:
                    raise _busy("The portal has refused too many webhooks from this address.")
                await self._ask(webhook)
        except TimeoutError:
            raise _busy("The portal has not confirmed this webhook in time.") from None
        except ApiError as error:
            if not error.transient:
                self._refused[webhook] = error.code
                self._refusals[address] = self._refusals.get(address, 0) + 1
            raise
        self._verified[webhook] = True

    async def _ask(self, webhook: Webhook) -> None:
        with deadline(_PATIENCE):
            answer = await self._line(Request(webhook, "profile", {}))
        try:
            user = str(msgspec.json.decode(answer.result, type=_Profile).ID)
        except msgspec.DecodeError:
            user = ""
        if not (user.isascii() and user.isdigit()):
            raise InvalidResponseError("UNCLEAR_ANSWER", "The portal does not say whose webhook it is.", "")
        if webhook.user.isdigit() and webhook.user != user:
            raise ApiError("INVALID_CREDENTIALS")


def network(address: str) -> str:
    """Return what stands for one caller's address: itself, or the /64 network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))  # noqa: PLR2004


def _busy(why: str) -> NotAuthenticatedError:
    return NotAuthenticatedError("NOT_VERIFIED", why, "Try again in a minute.")
