"""Fewer round trips: what a request reads first is asked for together with what it will read next.

A request that shows a certain token always reads that grant, then that user's pair, then that user's epoch.
So the names are remembered, and no values: each request reads all of them anew, as of its beginning. Any
other command of the request, which may change something, drops what was read in advance.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from cachetools import LRUCache

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.transport.engine_use import Command, current_use

_MOST_REMEMBERED = 5000
_MOST_AHEAD = 4


class ReadAhead:
    """Runs commands that change nothing. `run` makes one round trip of all that it is given."""

    def __init__(self, run: Callable[..., Awaitable[list[Any]]]) -> None:
        self._run = run
        self._next: LRUCache[Command, list[Command]] = LRUCache(_MOST_REMEMBERED)

    async def __call__(self, *command: str | float | bytes) -> Any:  # noqa: ANN401 - whatever it answers
        """Run one command, or return what it answered in advance.

        Raises StoreUnreachableError; at once where the request may not wait any more.
        """
        use = current_use()
        if use is None:
            return (await self._run(command))[0]
        if command in use.read_ahead:
            return use.read_ahead.pop(command)
        if use.seconds_left <= 0:
            raise StoreUnreachableError
        if use.first:
            self._remember(use.first, command)
            return (await self._run(command))[0]
        use.first, ahead = command, list(self._next.get(command, ()))
        answer, *answers = await self._run(command, *ahead)
        use.read_ahead.update(zip(ahead, answers, strict=True))
        return answer

    def _remember(self, first: Command, command: Command) -> None:
        ahead = self._next.setdefault(first, [])
        if command not in ahead and command != first and len(ahead) < _MOST_AHEAD:
            ahead.append(command)
