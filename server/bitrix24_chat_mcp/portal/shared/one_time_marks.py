"""What is good once, across all servers: codes, and sign-ins that have been finished."""

from .engine import Engine, digest


class SharedMarks:
    """Remembers ids that were used."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def mark(self, id: str, seconds: float) -> bool:  # noqa: A002 - the field's word
        """Mark an id for some seconds, atomically; return True the first time."""
        return bool(await self._engine.run("SET", _name(id), "1", "NX", "PX", int(seconds * 1000)))

    async def is_marked(self, id: str) -> bool:  # noqa: A002
        """Tell whether an id has been marked."""
        return bool(await self._engine.run("EXISTS", _name(id)))


def _name(id: str) -> str:  # noqa: A002
    return f"b24:{{m:{digest(id)}}}:used"
