"""Which answers are too old: a user's epoch changes with each write, before its caller is answered.

An answer that was asked for in one epoch serves nobody in the next. So a caller who has pinned at one
server never reads an older list at another.
"""

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError

from .engine import Engine, digest

_LIFE = 3600 * 1000  # ms, longer than any answer is kept


class SharedEpochs:
    """The epochs of all users."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def current(self, credentials: Credentials) -> int | None:
        """Return a user's epoch; None if the engine does not tell."""
        try:
            return int(await self._engine.read("GET", _name(credentials)) or 0)
        except StoreUnreachableError:
            return None

    async def advance(self, credentials: Credentials) -> None:
        """Begin the next one, if the engine can be asked."""
        try:
            await self._engine.run_all(("INCR", name := _name(credentials)), ("PEXPIRE", name, _LIFE))
        except StoreUnreachableError:
            return


def _name(credentials: Credentials) -> str:
    return f"b24:{{u:{digest(credentials.portal, credentials.user)}}}:epoch"
