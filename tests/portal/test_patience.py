"""A call ends by its deadline, tells how far it came, and leaves nothing behind when it is cancelled."""

import math

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import DeadlineError, PortalError, QueueFullError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.call_context import current_call, deadline
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault

from portal.office import Office, office

SLOW = Limits(rate=0.1, burst=1, cache=0)


async def failing(here: Office, seconds: float, *, writes: bool, idempotent: bool = True) -> PortalError:
    """Make a call that is to fail within so many seconds, and not much sooner than it must."""
    start = anyio.current_time()
    request = Request(
        here.webhook(), "im.recent.pin", {"DIALOG_ID": "5", "PIN": "Y"}, writes=writes, idempotent=idempotent
    )
    with pytest.raises(PortalError) as caught, deadline(seconds):
        await here.line(request)
    assert anyio.current_time() - start <= seconds + 0.001
    return caught.value


async def test_a_call_that_never_left_says_so_and_when_to_come_back() -> None:
    async with office(SLOW) as here:
        await here.ask("server.time")
        error = await failing(here, 5, writes=True)
        assert isinstance(error, DeadlineError)
        assert len(here.demo.requests) == 1
        assert str(error) == (
            "DEADLINE_PASSED: The call waited for the portal's rate limit until its 5 seconds were over, "
            "with 0 calls before it. Nothing has been changed. Try again in 10 seconds."
        )
        assert error.retry_after == 10


@pytest.mark.parametrize(
    ("writes", "idempotent", "effect"),
    [
        (False, True, ""),
        (True, True, "The change may have been made all the same; asking for it again does no harm. "),
        (True, False, "The change may have been made all the same; look before asking for it again. "),
    ],
)
async def test_a_call_without_an_answer_says_what_may_have_happened(
    *, writes: bool, idempotent: bool, effect: str
) -> None:
    async with office() as here:
        here.demo.fail("*", Fault(silent=True))
        error = await failing(here, 5, writes=writes, idempotent=idempotent)
        assert str(error) == (
            "DEADLINE_PASSED: The portal did not answer within the call's 5 seconds; it was asked once. "
            f"{effect}Try again in a minute."
        )


async def test_an_attempt_may_time_out_and_the_next_succeed_within_one_deadline() -> None:
    async with office() as here:
        here.demo.fail("*", Fault(silent=True), calls=1)
        start = anyio.current_time()
        assert await here.user.pin("5", pin=True)
        assert 10 <= anyio.current_time() - start <= 11
        assert len(here.demo.requests) == 2


async def test_several_requests_of_one_call_share_its_deadline() -> None:
    async with office(latency=3) as here:
        start = anyio.current_time()
        with deadline(8):
            await here.ask("server.time")
            await here.ask("profile")
            with pytest.raises(DeadlineError):
                await here.ask("scope")
        assert anyio.current_time() - start == 8
        assert len(here.demo.requests) == 3


async def test_a_call_whose_time_is_up_before_it_begins_is_not_sent() -> None:
    async with office() as here:
        with deadline(1):
            await anyio.sleep(2)
            with pytest.raises(DeadlineError, match="before it could be sent"):
                await here.ask("server.time")
        assert here.methods == []


async def test_what_must_not_be_done_twice_is_not_sent_again_once_it_may_have_been_done() -> None:
    async with office() as here:
        here.demo.fail("*", Fault(close="before"))
        error = await failing(here, 20, writes=True, idempotent=False)
        assert error.code == "CONNECTION_BROKEN"
        assert "may have been made all the same; look before asking" in str(error)
        assert len(here.demo.requests) == 1


async def test_what_must_not_be_done_twice_is_sent_again_while_it_cannot_have_been_done() -> None:
    async with office() as here:
        here.demo.fail("*", Fault(error="QUERY_LIMIT_EXCEEDED"), calls=1)
        request = Request(here.webhook(), "im.recent.pin", {"DIALOG_ID": "5"}, writes=True, idempotent=False)
        await here.line(request)
        assert len(here.demo.requests) == 2


async def test_a_blocked_method_is_tried_again_when_the_portal_said_if_that_is_in_time() -> None:
    async with office(costs={"im.recent.pin": 100}, operating_limit=150) as here:
        await here.user.pin("5", pin=True)
        await anyio.sleep(590)
        await here.user.pin("5", pin=True)
        start = anyio.current_time()
        assert await here.user.pin("7", pin=True)
        assert 9 <= anyio.current_time() - start <= 12
        assert [request.error for request in here.demo.requests[-2:]] == ["OPERATION_TIME_LIMIT", None]


async def test_a_blocked_method_is_not_waited_for_beyond_the_deadline() -> None:
    async with office(costs={"im.recent.pin": 100}, operating_limit=150) as here:
        for _ in range(2):
            await here.user.pin("5", pin=True)
        await anyio.sleep(240)
        start = anyio.current_time()
        error = await failing(here, 20, writes=True)
        assert error.code == "OPERATION_TIME_LIMIT"
        assert anyio.current_time() == start
        assert error.retry_after == pytest.approx(360, abs=2)
        assert str(error).endswith("Try again in 7 minutes.")


async def test_a_cancelled_call_breaks_off_its_request_at_once() -> None:
    async with office() as here:
        here.demo.fail("*", Fault(silent=True))
        start = anyio.current_time()
        with anyio.move_on_after(1.5):
            await here.ask("server.time")
        await anyio.sleep(0.01)
        assert here.line.idle
        assert anyio.current_time() - start < 2


async def test_a_cancelled_call_gives_its_place_in_the_queue_back() -> None:
    async with office(Limits(rate=1, burst=1, queue=1, cache=0), rate=math.inf) as here:
        await here.ask("server.time")
        with anyio.move_on_after(0.1):
            await here.ask("profile")
        await here.ask("scope")  # would be refused if the place were still taken
        assert here.methods == ["server.time", "scope"]


async def test_a_full_queue_refuses_at_once_and_says_how_long_it_is() -> None:
    async with office(Limits(rate=0.1, burst=1, queue=3, cache=0), rate=math.inf) as here:
        error: PortalError | None = None
        start = anyio.current_time()
        await here.ask("server.time")
        async with anyio.create_task_group() as tasks:
            for salt in range(3):
                tasks.start_soon(here.ask, "server.time", 1, salt)
            await anyio.sleep(0.01)
            try:
                await here.ask("profile")
            except QueueFullError as full:
                error = full
            tasks.cancel_scope.cancel()
        assert anyio.current_time() - start < 0.1
        assert str(error) == (
            "QUEUE_FULL: 3 calls wait for the portal's rate limit already; this one was not sent, nothing "
            "has changed. Try again in 10 seconds."
        )


async def test_who_came_first_is_served_first() -> None:
    async with office(Limits(rate=1, burst=1, cache=0, deadline=99), rate=math.inf) as here:
        await here.ask("server.time")
        users = [5, 1, 9, 7, 1, 12]
        async with anyio.create_task_group() as tasks:
            for place, number in enumerate(users):
                tasks.start_soon(here.ask, "profile", number, place)
        assert [request.user for request in here.demo.requests[1:]] == [5, 1, 9, 7, 12]


async def test_progress_is_told_while_a_call_waits_for_the_bucket() -> None:
    told: list[tuple[float, str]] = []

    async def report(seconds: float, text: str) -> None:
        told.append((seconds, text))

    async with office(Limits(rate=0.25, burst=1, cache=0), rate=math.inf) as here:
        await here.ask("server.time")
        with deadline(20, report):
            await here.ask("profile")
    assert [round(seconds) for seconds, _ in told] == [1, 2, 3, 4]
    assert told[0][1] == "Waiting for the portal's rate limit: 0 calls before this one, about 4 seconds."


async def test_a_listener_that_fails_or_sleeps_harms_nobody() -> None:
    async def report(seconds: float, _: str) -> None:
        if seconds < 2:
            raise OSError("the client has gone")
        await anyio.sleep(1000)

    async with office(Limits(rate=0.25, burst=1, cache=0), rate=math.inf) as here:
        await here.ask("server.time")
        start = anyio.current_time()
        with pytest.raises(DeadlineError), deadline(3, report):
            await here.ask("profile")
        assert anyio.current_time() - start == 3


async def test_closing_the_line_lets_everybody_go() -> None:
    async with office() as here:
        here.demo.fail("*", Fault(silent=True))
        with anyio.fail_after(1):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_shut_out, here)
                await anyio.sleep(0.1)
                await here.line.aclose()


async def _shut_out(here: Office) -> None:
    with pytest.raises(PortalError, match="SHUTTING_DOWN"):
        await here.ask("server.time")


async def test_a_call_knows_its_id_wherever_it_is_asked() -> None:
    with deadline(1) as call:
        assert current_call() is call
        assert len(call.id) == 8
    assert current_call() is None
