"""Identical reads are one request, and an answer serves again for a few seconds: to its own user only."""

import math

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault

from portal.office import Office, office


async def at_once(here: Office, *numbers: int) -> list[object]:
    """Let users read their lists at once; return their answers in that order."""
    got: dict[int, object] = {}

    async def read(place: int, number: int) -> None:
        try:
            got[place] = bytes((await here.ask("im.recent.get", number)).result)
        except PortalError as error:
            got[place] = error

    async with anyio.create_task_group() as tasks:
        for place, number in enumerate(numbers):
            tasks.start_soon(read, place, number)
    return [got[place] for place in range(len(numbers))]


async def test_200_identical_lists_at_once_are_one_request() -> None:
    async with office() as here:
        got = await at_once(here, *[1] * 200)
        assert len(set(map(bytes, got))) == 1  # type: ignore[arg-type]
        assert len(here.demo.requests) == 1


async def test_the_lists_of_different_users_are_their_own() -> None:
    async with office(rate=math.inf) as here:
        users = (1, 5, 7, 9)
        got = await at_once(here, *users * 5)
        assert len(here.demo.requests) == len(users)
        for place, number in enumerate(users * 5):
            alone = (await here.ask("im.recent.get", number, salt=str(place))).result
            assert got[place] == bytes(alone)


async def test_a_failure_is_shared_but_what_is_said_of_it_is_not() -> None:
    async with office(Limits(attempts=1)) as here:
        here.demo.fail("*", Fault(html=True))
        got = await at_once(here, 1, 1)
        assert all(isinstance(error, PortalError) for error in got)
        assert got[0] is not got[1]
        assert len(here.demo.requests) == 1


async def test_a_repeated_list_comes_from_the_cache_and_says_how_old_it_is() -> None:
    async with office(Limits(cache=5)) as here:
        fresh = await here.ask("im.recent.get")
        await anyio.sleep(3)
        kept = await here.ask("im.recent.get")
        assert (fresh.age, kept.age) == (0, 3)
        assert bytes(kept.result) == bytes(fresh.result)
        await anyio.sleep(2.5)
        assert (await here.ask("im.recent.get")).age == 0
        assert len(here.demo.requests) == 2


async def test_the_cache_can_be_off() -> None:
    async with office(Limits(cache=0)) as here:
        await here.ask("im.recent.get")
        assert (await here.ask("im.recent.get")).age == 0
        assert len(here.demo.requests) == 2


async def test_the_cache_is_bounded() -> None:
    async with office(Limits(cache=60), cache_bytes=1000) as here:
        for salt in range(3):
            await here.ask("im.recent.get", salt=str(salt))  # each far larger than that
        await here.ask("server.time")
        assert (await here.ask("server.time")).age == 0
        assert (await here.ask("im.recent.get", salt="2")).age == 0


async def test_a_write_empties_its_user_s_cache_and_nobody_else_s() -> None:
    async with office(Limits(cache=60)) as here:
        for number in (1, 5):
            await here.ask("im.recent.get", number)
        await anyio.sleep(1)
        await here.user.pin("5", pin=True)
        assert (await here.ask("im.recent.get", 1)).age == 0
        assert (await here.ask("im.recent.get", 5)).age == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_a_list_that_was_read_during_a_write_is_not_kept(*, fails: bool) -> None:
    async with office(Limits(cache=60, attempts=1), rate=math.inf) as here:
        here.demo.fail("im.recent.pin", Fault(delay=5, html=fails, performed=True))
        here.demo.fail("im.recent.get", Fault(delay=1), calls="1")

        async def write() -> None:
            try:
                await here.user.pin("5", pin=True)
            except PortalError:
                assert fails

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(here.ask, "im.recent.get")  # begins before the write, ends within
            await anyio.sleep(0.5)
            tasks.start_soon(write)
            await anyio.sleep(0.1)
            tasks.start_soon(here.ask, "im.recent.get")  # joins it
        await here.ask("im.recent.get")
        assert here.methods.count("im.recent.get") == 2


async def test_the_request_goes_on_for_those_who_stay_when_the_first_gives_up() -> None:
    async with office(latency=2) as here:
        got: list[object] = []

        async def impatient() -> None:
            with pytest.raises(PortalError, match="DEADLINE_PASSED"), deadline(1):
                await here.ask("im.recent.get")

        async def patient() -> None:
            with deadline(10):
                got.append(await here.ask("im.recent.get"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(impatient)
            tasks.start_soon(patient)
        assert len(got) == 1
        assert len(here.demo.requests) == 1
