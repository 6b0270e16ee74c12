"""The queue for a portal's rate limit is shared fairly: no caller waits behind all calls of another."""

import math
from contextlib import suppress

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import PortalError, QueueFullError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.portal.transport.limits import Limits
from support.conversation import VIRTUAL_TIME
from support.harness import Harness, open_harness

# Calls that no batch takes along: each is a request of its own.
ALONE = {"FIND": "$result"}


def slow(queue: int = 200, rate: float = 1.0) -> Limits:
    """Limits of a portal that takes one request at once, and then so many a second."""
    return Limits(rate=rate, burst=1, queue=queue, cache=0, deadline=600)


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL_TIME


class Callers:
    """Calls of several users at one portal, each alone in its request, and what became of them."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.served: list[int] = []
        self.refused: list[int] = []
        self.errors: list[PortalError] = []

    async def call(self, user: int, salt: int) -> None:
        request = Request(self.harness.webhook(user), "server.time", {**ALONE, "SALT": salt})
        try:
            await self.harness.pipeline.send(request)
        except PortalError as error:
            self.refused.append(user)
            self.errors.append(error)
        else:
            self.served.append(user)


async def test_queue_330_calls_of_one_caller_delay_another_s_by_one_turn() -> None:
    async with open_harness(slow(queue=400), rate=math.inf) as harness:
        callers = Callers(harness)
        async with anyio.create_task_group() as tasks:
            for salt in range(330):
                tasks.start_soon(callers.call, 5, salt)
            await anyio.sleep(0.1)
            began = anyio.current_time()
            await callers.call(1, 0)
            assert anyio.current_time() - began < 4
            tasks.cancel_scope.cancel()


async def test_queue_turns_go_round_among_callers() -> None:
    async with open_harness(slow(), rate=math.inf) as harness:
        callers = Callers(harness)
        async with anyio.create_task_group() as tasks:
            for salt, user in enumerate((5, 5, 5, 5, 7, 7, 1)):
                tasks.start_soon(callers.call, user, salt)
        assert callers.served == [5, 5, 7, 1, 5, 7, 5]


async def test_queue_a_batch_still_takes_a_caller_s_calls_together() -> None:
    async with open_harness(slow(), rate=math.inf) as harness:
        await harness.ask("server.time")
        async with anyio.create_task_group() as tasks:
            for salt in range(60):
                tasks.start_soon(harness.ask, "server.time", 5, salt)
            for salt in range(3):
                tasks.start_soon(harness.ask, "server.time", 1, salt)
        sent = [(request.user, len(request.inner)) for request in harness.demo.requests]
        assert sent == [(1, 0), (5, 50), (1, 3), (5, 10)]


async def test_queue_a_full_one_has_a_place_for_a_caller_with_fewer_calls() -> None:
    async with open_harness(slow(queue=10), rate=math.inf) as harness:
        callers = Callers(harness)
        async with anyio.create_task_group() as tasks:
            for salt in range(11):
                tasks.start_soon(callers.call, 5, salt)
            await anyio.sleep(0.1)
            for salt in range(8):
                tasks.start_soon(callers.call, 1, salt)
        assert callers.refused.count(5) == 5
        assert callers.refused.count(1) == 3
        assert {type(error) for error in callers.errors} == {QueueFullError}
        assert str(callers.errors[0]).startswith(
            "QUEUE_FULL: 10 calls wait for the portal's rate limit already; this one was not sent"
        )


async def test_queue_one_caller_alone_may_have_all_of_it() -> None:
    async with open_harness(slow(queue=20), rate=math.inf) as harness:
        callers = Callers(harness)
        async with anyio.create_task_group() as tasks:
            for salt in range(22):
                tasks.start_soon(callers.call, 5, salt)
        assert (len(callers.served), len(callers.refused)) == (21, 1)


async def test_queue_the_place_that_is_told_counts_the_turns_of_others() -> None:
    told: list[str] = []

    async def report(_: float, sentence: str) -> None:
        told.append(sentence)

    async with open_harness(slow(rate=0.25), rate=math.inf) as harness, anyio.create_task_group() as tasks:
        for salt, user in enumerate((5, 5, 5, 7)):  # the first leaves at once, its fellows together
            tasks.start_soon(harness.ask, "server.time", user, salt)
        await anyio.sleep(0.1)
        with deadline(60, report):
            await harness.ask("server.time", 1)
    assert told[0] == "Waiting for the portal's rate limit: 3 calls before this one, about 12 seconds."


async def test_queue_state_of_portals_that_nobody_asks_is_forgotten() -> None:
    async with open_harness(rate=math.inf) as harness:
        for number in range(1200):
            webhook = parse_webhook(harness.demo.webhook(base=f"https://p{number}.example"))
            with suppress(PortalError):
                await harness.pipeline.send(Request(webhook, "server.time", {}))
        assert harness.pipeline.portals <= 1000
