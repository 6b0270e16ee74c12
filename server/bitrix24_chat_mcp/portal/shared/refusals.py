"""How often strangers' attempts were refused, at all servers: a bound for each network holds across them."""

from contextlib import suppress

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError

from .engine import Engine, digest

_LIFE = 60_000  # ms, as each server counts its own


class SharedRefusals:
    """Counts the refused attempts of one kind."""

    def __init__(self, engine: Engine, kind: str) -> None:
        self._engine = engine
        self._kind = kind

    async def count(self, network: str) -> int:
        """Return a network's refusals; 0 if the engine does not tell, for each server counts its own, too."""
        with suppress(StoreUnreachableError):
            return int(await self._engine.run("GET", self._name(network)) or 0)
        return 0

    async def add(self, network: str) -> None:
        """Count a refusal, until none has come for a while."""
        name = self._name(network)
        with suppress(StoreUnreachableError):
            await self._engine.run_all(("INCR", name), ("PEXPIRE", name, _LIFE))

    def _name(self, network: str) -> str:
        return f"b24:{{a:{digest(self._kind, network)}}}:refused"
