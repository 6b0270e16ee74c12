"""Identical reads are one request, and an answer serves again for a few seconds: to its own user only."""

import math

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault
from support.harness import Harness, open_harness


async def at_once(harness: Harness, *numbers: int) -> list[object]:
    """Let users read their lists at once; return their answers in that order."""
    got: dict[int, object] = {}

    async def read(place: int, number: int) -> None:
        try:
            got[place] = bytes((await harness.ask("im.recent.get", number)).result)
        except PortalError as error:
            got[place] = error

    async with anyio.create_task_group() as tasks:
        for place, number in enumerate(numbers):
            tasks.start_soon(read, place, number)
    return [got[place] for place in range(len(numbers))]


async def test_coalescing_makes_one_request_of_200_identical_lists() -> None:
    async with open_harness() as harness:
        got = await at_once(harness, *[1] * 200)
        assert len(set(map(bytes, got))) == 1  # type: ignore[arg-type]
        assert len(harness.demo.requests) == 1


async def test_coalescing_keeps_users_apart() -> None:
    async with open_harness(rate=math.inf) as harness:
        users = (1, 5, 7, 9)
        got = await at_once(harness, *users * 5)
        assert len(harness.demo.requests) == len(users)
        for place, number in enumerate(users * 5):
            alone = (await harness.ask("im.recent.get", number, salt=str(place))).result
            assert got[place] == bytes(alone)


async def test_coalescing_shares_a_failure_but_not_the_error_object() -> None:
    async with open_harness(Limits(attempts=1)) as harness:
        harness.demo.fail("*", Fault(html=True))
        got = await at_once(harness, 1, 1)
        assert all(isinstance(error, PortalError) for error in got)
        assert got[0] is not got[1]
        assert len(harness.demo.requests) == 1


async def test_cache_answers_a_repeated_list_and_says_how_old_it_is() -> None:
    async with open_harness(Limits(cache=5)) as harness:
        fresh = await harness.ask("im.recent.get")
        await anyio.sleep(3)
        kept = await harness.ask("im.recent.get")
        assert (fresh.age, kept.age) == (0, 3)
        assert bytes(kept.result) == bytes(fresh.result)
        await anyio.sleep(2.5)
        assert (await harness.ask("im.recent.get")).age == 0
        assert len(harness.demo.requests) == 2


async def test_cache_can_be_off() -> None:
    async with open_harness(Limits(cache=0)) as harness:
        await harness.ask("im.recent.get")
        assert (await harness.ask("im.recent.get")).age == 0
        assert len(harness.demo.requests) == 2


async def test_cache_is_bounded() -> None:
    async with open_harness(Limits(cache=60), cache_bytes=1000) as harness:
        for salt in range(3):
            await harness.ask("im.recent.get", salt=str(salt))  # each far larger than that
        await harness.ask("server.time")
        assert (await harness.ask("server.time")).age == 0
        assert (await harness.ask("im.recent.get", salt="2")).age == 0


async def test_cache_is_dropped_by_a_write_of_its_user_only() -> None:
    async with open_harness(Limits(cache=60)) as harness:
        for number in (1, 5):
            await harness.ask("im.recent.get", number)
        await anyio.sleep(1)
        await harness.user.pin("5", pin=True)
        assert (await harness.ask("im.recent.get", 1)).age == 0
        assert (await harness.ask("im.recent.get", 5)).age == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_cache_keeps_no_list_that_was_read_during_a_write(*, fails: bool) -> None:
    async with open_harness(Limits(cache=60, attempts=1), rate=math.inf) as harness:
        harness.demo.fail("im.recent.pin", Fault(delay=5, html=fails, performed=True))
        harness.demo.fail("im.recent.get", Fault(delay=1), calls="1")

        async def write() -> None:
            try:
                await harness.user.pin("5", pin=True)
            except PortalError:
                assert fails

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(harness.ask, "im.recent.get")  # begins before the write, ends within
            await anyio.sleep(0.5)
            tasks.start_soon(write)
            await anyio.sleep(0.1)
            tasks.start_soon(harness.ask, "im.recent.get")  # joins it
        await harness.ask("im.recent.get")
        assert harness.methods.count("im.recent.get") == 2


async def test_coalescing_continues_for_other_callers_when_the_first_gives_up() -> None:
    async with open_harness(latency=2) as harness:
        got: list[object] = []

        async def impatient() -> None:
            with pytest.raises(PortalError, match="DEADLINE_PASSED"), deadline(1):
                await harness.ask("im.recent.get")

        async def patient() -> None:
            with deadline(10):
                got.append(await harness.ask("im.recent.get"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(impatient)
            tasks.start_soon(patient)
        assert len(got) == 1
        assert len(harness.demo.requests) == 1
