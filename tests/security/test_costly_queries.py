"""One caller's costly queries do not delay another caller's, and none outlasts its call's deadline."""

from threading import Event

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import DeadlineError
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.portal.transport.worker_threads import WorkerThreads


async def test_fairness_work_of_one_caller_never_takes_all_threads() -> None:
    threads, done = WorkerThreads(), Event()
    async with anyio.create_task_group() as calls:
        for _ in range(8):
            calls.start_soon(threads.run, "greedy", done.wait)
        await anyio.wait_all_tasks_blocked()
        assert await threads.run("other", lambda: "answered") == "answered"
        done.set()


async def test_deadline_ends_the_wait_for_a_search_and_the_next_one_waits_for_its_thread() -> None:
    threads, done = WorkerThreads(), Event()
    with deadline(0.01), pytest.raises(DeadlineError, match="DEADLINE_PASSED: "):
        await threads.run("caller", done.wait)
    with deadline(0.01), pytest.raises(DeadlineError):
        await threads.run("caller", lambda: None)
    done.set()
    assert await threads.run("caller", lambda: "answered") == "answered"
