"""How many servers share a source address: if the engine fails, each keeps to its part of the rate."""

import secrets
from collections import deque

import anyio

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError

from .engine import Engine, digest

_EVERY = 5.0  # seconds between two heartbeats
_SILENT = 15_000  # ms without one, after which a server counts no more
_REMEMBERED = 6  # heartbeats: an engine that has just lost its data counts too few


class Servers:
    """The servers at one source address, of which this is one."""

    def __init__(self, engine: Engine, egress: str) -> None:
        self.id = secrets.token_hex(8)
        """This server, as the others see it."""
        self._engine = engine
        self._key = f"b24:{{e:{digest(egress)}}}:servers"
        self._counts = deque([1], maxlen=_REMEMBERED)

    @property
    def count(self) -> int:
        """How many there are, as last counted."""
        return max(self._counts)

    async def run(self) -> None:
        """Send heartbeats until cancelled; then tell the others that this one has gone."""
        try:
            while True:
                await self._beat()
                await anyio.sleep(_EVERY)
        finally:
            with anyio.CancelScope(shield=True):
                await self._leave()

    async def _beat(self) -> None:
        try:
            self._counts.append(int(await self._engine.script("heartbeat", [self._key], self.id, _SILENT)))
        except StoreUnreachableError:
            return

    async def _leave(self) -> None:
        try:
            await self._engine.run("ZREM", self._key, self.id)
        except StoreUnreachableError:
            return
