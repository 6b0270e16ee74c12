"""The queue for a portal's rate limit is shared fairly: no caller waits behind all calls of another."""

import math

import anyio
import pytest
from bitrix24_chat_mcp.portal.call import within
from bitrix24_chat_mcp.portal.errors import PortalError, QueueFullError
from bitrix24_chat_mcp.portal.limits import Limits
from bitrix24_chat_mcp.portal.rest import Request
from conversation import VIRTUAL_TIME
from portal.office import Office, office

# One request a second, the first at once, and nothing that a batch could take along.
SLOW = {"rate": 1.0, "burst": 1, "cache": 0.0, "deadline": 600.0}
ALONE = {"FIND": "$result"}


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL_TIME


class Callers:
    """Calls of several users at one portal, each alone in its request, and what became of them."""

    def __init__(self, here: Office) -> None:
        self.here = here
        self.served: list[int] = []
        self.refused: list[int] = []
        self.errors: list[PortalError] = []

    async def call(self, user: int, salt: int) -> None:
        request = Request(self.here.webhook(user), "server.time", {**ALONE, "SALT": salt})
        try:
            await self.here.line(request)
        except PortalError as error:
            self.refused.append(user)
            self.errors.append(error)
        else:
            self.served.append(user)


async def test_queue_330_calls_of_one_caller_delay_another_s_by_one_turn() -> None:
    async with office(Limits(queue=400, **SLOW), rate=math.inf) as here:
        callers = Callers(here)
        async with anyio.create_task_group() as tasks:
            for salt in range(330):
                tasks.start_soon(callers.call, 5, salt)
            await anyio.sleep(0.1)
            began = anyio.current_time()
            await callers.call(1, 0)
            assert anyio.current_time() - began < 4
            tasks.cancel_scope.cancel()


async def test_queue_turns_go_round_among_callers() -> None:
    async with office(Limits(**SLOW), rate=math.inf) as here:
        callers = Callers(here)
        async with anyio.create_task_group() as tasks:
            for user in (5, 5, 5, 5, 7, 7, 1):
                tasks.start_soon(callers.call, user, len(tasks._tasks))  # noqa: SLF001
        assert callers.served == [5, 5, 7, 1, 5, 7, 5]


async def test_queue_a_batch_still_takes_a_caller_s_calls_together() -> None:
    async with office(Limits(**SLOW), rate=math.inf) as here:
        await here.ask("server.time")
        async with anyio.create_task_group() as tasks:
            for salt in range(60):
                tasks.start_soon(here.ask, "server.time", 5, salt)
            for salt in range(3):
                tasks.start_soon(here.ask, "server.time", 1, salt)
        sent = [request.user for request in here.demo.requests if request.inner is None]
        assert sent == [1, 5, 1, 5]


async def test_queue_a_full_one_has_a_place_for_a_caller_with_fewer_calls() -> None:
    async with office(Limits(queue=10, **SLOW), rate=math.inf) as here:
        callers = Callers(here)
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
    async with office(Limits(queue=20, **SLOW), rate=math.inf) as here:
        callers = Callers(here)
        async with anyio.create_task_group() as tasks:
            for salt in range(22):
                tasks.start_soon(callers.call, 5, salt)
        assert (len(callers.served), len(callers.refused)) == (21, 1)


async def test_queue_the_place_that_is_told_counts_the_turns_of_others() -> None:
    told: list[str] = []

    async def report(_: float, sentence: str) -> None:
        told.append(sentence)

    async with office(Limits(**{**SLOW, "rate": 0.25}), rate=math.inf) as here:
        callers = Callers(here)
        async with anyio.create_task_group() as tasks:
            for user in (5, 5, 7):
                tasks.start_soon(callers.call, user, len(callers.served))
            await anyio.sleep(0.1)
            with within(60, report):
                await callers.call(1, 0)
    assert told[0].startswith("Waiting for the portal's rate limit: ")
