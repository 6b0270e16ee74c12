"""Tokens in the engine, sealed: any server finds those of somebody who signed in at another one.

What this server has read or saved within a minute is good for so long if the engine fails. Nothing can be
saved then. A lock is a lease; a holder who was frozen past its end is stopped by the generation.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import cast

import anyio
from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.oauth.token_store import ConflictError, StoredToken

from .engine import Engine, digest

LEASE = 15.0
"""Seconds for which a lock is held at most: less than a call may take, so that a killed holder costs none."""
_LIFE = 200 * 86400  # seconds; Bitrix24's refresh tokens live 180 days
_POLL = 0.05  # seconds between two attempts to get a lock
_HELD_SECONDS = 60.0
_MOST_HELD = 10_000
_FIRST_GENERATION_BITS = 32


class SharedTokenStore:
    """A token store that any number of servers use at once."""

    def __init__(self, engine: Engine, sealer: Sealer) -> None:
        self._engine = engine
        self._sealer = sealer
        self._held: TTLCache[str, StoredToken] = TTLCache(_MOST_HELD, _HELD_SECONDS, anyio.current_time)

    async def load(self, key: str) -> StoredToken | None:
        """Return the entry; None if there is none, or none that the keys open."""
        name = _name(key, "token")
        try:
            found = await self._engine.read("HMGET", name, "generation", "sealed")
        except StoreUnreachableError:
            if held := self._held.get(name):
                return held
            raise
        generation, sealed = cast("tuple[bytes | None, bytes | None]", found)
        text = (
            self._sealer.open(name, sealed.decode("ascii", "replace"), str) if generation and sealed else None
        )
        if text is None or generation is None:
            self._held.pop(name, None)
            return None
        self._held[name] = StoredToken(text, int(generation))
        return self._held[name]

    async def save(self, key: str, text: str, *, generation: int | None) -> StoredToken:
        """Store a text; raise ConflictError if the entry has another generation."""
        name = _name(key, "token")
        first = secrets.randbits(_FIRST_GENERATION_BITS)  # never that of an entry deleted before
        new = StoredToken(text, first if generation is None else generation + 1)
        expected = "" if generation is None else str(generation)
        sealed = self._sealer.seal(name, text)
        if not await self._engine.script("save", [name], expected, new.generation, sealed, _LIFE * 1000):
            raise ConflictError
        self._held[name] = new
        return new

    async def delete(self, key: str, *, generation: int | None = None) -> None:
        """Delete the entry; raise ConflictError if it has another generation than a given one."""
        name = _name(key, "token")
        if generation is None:
            await self._engine.run("DEL", name)
        elif not await self._engine.script("delete", [name], generation):
            raise ConflictError
        self._held.pop(name, None)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncGenerator[None]:
        """Hold a lock for LEASE seconds at most."""
        name, owner = _name(key, "lock"), secrets.token_hex(16)
        lease = int(LEASE * 1000)
        while not await self._engine.run("SET", name, owner, "NX", "PX", lease):  # noqa: ASYNC110 - of another
            await anyio.sleep(_POLL)
        try:
            yield
        finally:
            with suppress(StoreUnreachableError):  # it ends by itself
                await self._engine.script("unlock", [name], owner)


def _name(key: str, part: str) -> str:
    return f"b24:{{t:{digest(key)}}}:{part}"
