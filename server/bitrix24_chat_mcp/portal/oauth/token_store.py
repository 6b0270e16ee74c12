"""The interface of token stores.

Every entry has a generation, which changes with each save. `save` compares it, so a process that was frozen
for a while cannot overwrite what another one has saved meanwhile. A stored text is durable when `save`
returns. A store that fails raises OSError.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A stored text and its generation."""

    text: str = field(repr=False)
    generation: int


class ConflictError(Exception):
    """The entry has another generation than expected: it has been saved or deleted meanwhile."""


class TokenStore(Protocol):
    """Stores texts by key. No method blocks the event loop."""

    async def load(self, key: str) -> StoredToken | None:
        """Return the entry, or None if there is none."""
        ...

    async def save(self, key: str, text: str, *, generation: int | None) -> StoredToken:
        """Store a text durably and return it with its new generation.

        `generation` is that of the entry to replace, None if there must be none yet. Raises ConflictError
        if the entry has another one.
        """
        ...

    async def delete(self, key: str, *, generation: int | None = None) -> None:
        """Delete the entry, if there is one.

        With `generation` raises ConflictError if the entry has another one.
        """
        ...

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait for the exclusive right to refresh what is stored under a key, across processes.

        A lock may be lost when its holder is frozen for long; `save` compares generations for that case.
        """
        ...
