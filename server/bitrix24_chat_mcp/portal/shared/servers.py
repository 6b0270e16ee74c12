"""The servers at one source address: how many there are, and what each may do without the engine.

A server that cannot reach the engine uses half of its share of the rate: for two minutes after its last
heartbeat, then ever less, in inverse proportion to the time. The others notice its silence and leave as much
free, for as long as it may use it. They cannot know whether it was killed; so that costs the same, and it
ends by itself. A server that leaves in order costs nothing.
"""

import secrets
from collections import deque

import anyio

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError

from .engine import Engine, digest

SILENT = 10.0
"""Seconds without a heartbeat after which the others leave a server's part free."""
HALF_SHARE = 120.0
"""Seconds without a heartbeat for which a server may use half of its share."""
_EVERY = 5.0  # seconds between two heartbeats
_REMEMBERED = 6  # heartbeats: an engine that has just lost its data counts too few
_UNCOUNTED = 8  # servers that one which was never answered takes for granted
_MOST_FREE = 0.75


class Servers:
    """The servers at one source address, of which this is one."""

    def __init__(self, engine: Engine, egress: str) -> None:
        self.id = secrets.token_hex(8)
        """This server, as the others see it."""
        self.free = 0.0
        """The part of the rate that is left to servers which have fallen silent."""
        self.count = _UNCOUNTED
        """How many servers there are, as this one has told the others."""
        self._engine = engine
        tag = f"b24:{{e:{digest(egress)}}}"
        self._keys = [f"{tag}:servers", f"{tag}:counts"]
        self._counts = deque[int](maxlen=_REMEMBERED)
        self._heard_at = 0.0

    def part_alone(self) -> float:
        """Return the part of the rate that this server may use without the engine."""
        return part_alone(anyio.current_time() - self._heard_at, self.count)

    async def run(self) -> None:
        """Send heartbeats until cancelled; then tell the others that this one has gone."""
        self._heard_at = anyio.current_time()
        try:
            await self._beat()
            while True:  # the next one tells at once what the first one has counted
                await self._beat()
                await anyio.sleep(_EVERY)
        finally:
            with anyio.CancelScope(shield=True):
                await self._leave()

    async def _beat(self) -> None:
        began, count = anyio.current_time(), max(self._counts, default=_UNCOUNTED)
        try:
            running, free = await self._engine.script(
                "heartbeat", self._keys, self.id, count, int(SILENT * 1000), int(HALF_SHARE * 1000), ""
            )
        except StoreUnreachableError:
            return
        self._counts.append(running)
        self.count, self._heard_at, self.free = count, began, min(free / 1_000_000, _MOST_FREE)

    async def _leave(self) -> None:
        try:
            await self._engine.run_all(("ZREM", self._keys[0], self.id), ("HDEL", self._keys[1], self.id))
        except StoreUnreachableError:
            return


def part_alone(silent: float, count: int) -> float:
    """Return the part of the rate for one of `count` servers, so many seconds after its last heartbeat."""
    return min(1.0, HALF_SHARE / max(silent, 1.0)) / count / 2
