"""Threads for work that would hold up the event loop.

Fuzzy searches, the sanitizing of long texts, and the reading of large answers.
"""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar
from weakref import WeakValueDictionary

from bitrix24_chat_mcp.portal.api.errors import DeadlineError
from bitrix24_chat_mcp.portal.api.lenient_json import Json, is_costly

from .call_context import current_call

T = TypeVar("T")
THREADS = 2
"""More would be done no sooner: Python computes in one at a time."""


class WorkerThreads:
    """A small pool that callers share fairly: one caller's work runs one piece after the other.

    So however much a caller asks for, another caller's work waits for one piece of it at most.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="chats")
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def run(self, caller: Hashable, work: Callable[[], T]) -> T:
        """Return what `work` returns; raise DeadlineError when the call's deadline passes before.

        Work that has begun cannot be stopped: it goes on, and the caller's next piece waits for its end.
        """
        call = current_call()
        try:
            async with asyncio.timeout_at(call.deadline if call else None):
                return await self._run_in_turn(caller, work)
        except TimeoutError:
            raise DeadlineError(
                "DEADLINE_PASSED",
                "The portal has answered, but to search and shorten its texts took longer than the call may.",
                "Try again in a minute, with a shorter query or fewer chats.",
            ) from None

    async def read(self, portal: str, answer: Json, work: Callable[[], T]) -> T:
        """Return what `work` reads in an answer of a portal: here if that takes no time, else in a thread."""
        return await self._run_in_turn(portal, work) if is_costly(answer) else work()

    async def _run_in_turn(self, caller: Hashable, work: Callable[[], T]) -> T:
        turn = self._turns.setdefault(caller, asyncio.Lock())
        await turn.acquire()
        loop = asyncio.get_running_loop()

        def work_in_turn() -> T:
            try:
                return work()
            finally:
                with suppress(RuntimeError):  # the event loop is closed: the process ends
                    loop.call_soon_threadsafe(turn.release)

        future = loop.run_in_executor(self._pool, work_in_turn)
        future.add_done_callback(_retrieve)
        await asyncio.wait({future})  # not cancelled with the caller: the turn ends with the work
        return future.result()


def _retrieve(future: asyncio.Future[T]) -> None:
    """Look at a failure, so that one whose caller has gone is not reported as lost."""
    if not future.cancelled():
        future.exception()
