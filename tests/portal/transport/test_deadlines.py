"""A call ends by its deadline, tells how far it came, and leaves nothing behind when it is cancelled."""

import math

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import DeadlineError, PortalError, QueueFullError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.call_context import current_call, deadline
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault
from support.harness import Harness, open_harness

SLOW = Limits(rate=0.1, burst=1, cache=0)


async def failing(harness: Harness, seconds: float, *, writes: bool, idempotent: bool = True) -> PortalError:
    """Make a call that is to fail within so many seconds, and not much sooner than it must."""
    start = anyio.current_time()
    request = Request(
        harness.webhook(),
        "im.recent.pin",
        {"DIALOG_ID": "5", "PIN": "Y"},
        writes=writes,
        idempotent=idempotent,
    )
    with pytest.raises(PortalError) as caught, deadline(seconds):
        await harness.pipeline.send(request)
    assert anyio.current_time() - start <= seconds + 0.001
    return caught.value


async def test_deadline_of_a_queued_call_says_that_it_was_not_sent_and_when_to_retry() -> None:
    async with open_harness(SLOW) as harness:
        await harness.ask("server.time")
        error = await failing(harness, 5, writes=True)
        assert isinstance(error, DeadlineError)
        assert len(harness.demo.requests) == 1
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
async def test_deadline_of_a_sent_call_says_what_may_have_happened(
    *, writes: bool, idempotent: bool, effect: str
) -> None:
    async with open_harness() as harness:
        harness.demo.fail("*", Fault(silent=True))
        error = await failing(harness, 5, writes=writes, idempotent=idempotent)
        assert str(error) == (
            "DEADLINE_PASSED: The portal did not answer within the call's 5 seconds; it was asked once. "
            f"{effect}Try again in a minute."
        )


async def test_retry_after_a_timeout_succeeds_within_the_deadline() -> None:
    async with open_harness() as harness:
        harness.demo.fail("*", Fault(silent=True), calls=1)
        start = anyio.current_time()
        assert await harness.user.pin("5", pin=True)
        assert 10 <= anyio.current_time() - start <= 11
        assert len(harness.demo.requests) == 2


async def test_deadline_is_shared_by_the_requests_of_a_call() -> None:
    async with open_harness(latency=3) as harness:
        start = anyio.current_time()
        with deadline(8):
            await harness.ask("server.time")
            await harness.ask("profile")
            with pytest.raises(DeadlineError):
                await harness.ask("scope")
        assert anyio.current_time() - start == 8
        assert len(harness.demo.requests) == 3


async def test_deadline_that_has_passed_already_sends_nothing() -> None:
    async with open_harness() as harness:
        with deadline(1):
            await anyio.sleep(2)
            with pytest.raises(DeadlineError, match="before it could be sent"):
                await harness.ask("server.time")
        assert harness.methods == []


async def test_retry_is_refused_to_a_write_that_is_not_idempotent_and_may_have_acted() -> None:
    async with open_harness() as harness:
        harness.demo.fail("*", Fault(close="before"))
        error = await failing(harness, 20, writes=True, idempotent=False)
        assert error.code == "CONNECTION_BROKEN"
        assert "may have been made all the same; look before asking" in str(error)
        assert len(harness.demo.requests) == 1


async def test_retry_of_a_write_that_is_not_idempotent_and_cannot_have_acted() -> None:
    async with open_harness() as harness:
        harness.demo.fail("*", Fault(error="QUERY_LIMIT_EXCEEDED"), calls=1)
        request = Request(
            harness.webhook(), "im.recent.pin", {"DIALOG_ID": "5"}, writes=True, idempotent=False
        )
        await harness.pipeline.send(request)
        assert len(harness.demo.requests) == 2


async def test_retry_waits_for_the_reset_of_operating_time_within_the_deadline() -> None:
    async with open_harness(costs={"im.recent.pin": 100}, operating_limit=150) as harness:
        await harness.user.pin("5", pin=True)
        await anyio.sleep(590)
        await harness.user.pin("5", pin=True)
        start = anyio.current_time()
        assert await harness.user.pin("7", pin=True)
        assert 9 <= anyio.current_time() - start <= 12
        assert [request.error for request in harness.demo.requests[-2:]] == ["OPERATION_TIME_LIMIT", None]


async def test_retry_does_not_wait_for_a_reset_beyond_the_deadline() -> None:
    async with open_harness(costs={"im.recent.pin": 100}, operating_limit=150) as harness:
        for _ in range(2):
            await harness.user.pin("5", pin=True)
        await anyio.sleep(240)
        start = anyio.current_time()
        error = await failing(harness, 20, writes=True)
        assert error.code == "OPERATION_TIME_LIMIT"
        assert anyio.current_time() == start
        assert error.retry_after == pytest.approx(360, abs=2)
        assert str(error).endswith("Try again in 7 minutes.")


async def test_cancelled_call_cancels_its_request_at_once() -> None:
    async with open_harness() as harness:
        harness.demo.fail("*", Fault(silent=True))
        start = anyio.current_time()
        with anyio.move_on_after(1.5):
            await harness.ask("server.time")
        await anyio.sleep(0.01)
        assert harness.pipeline.idle
        assert anyio.current_time() - start < 2


async def test_cancelled_call_leaves_the_queue() -> None:
    async with open_harness(Limits(rate=1, burst=1, queue=1, cache=0), rate=math.inf) as harness:
        await harness.ask("server.time")
        with anyio.move_on_after(0.1):
            await harness.ask("profile")
        await harness.ask("scope")  # would be refused if the place were still taken
        assert harness.methods == ["server.time", "scope"]


async def test_queue_that_is_full_refuses_at_once_and_says_when_to_retry() -> None:
    async with open_harness(Limits(rate=0.1, burst=1, queue=3, cache=0), rate=math.inf) as harness:
        error: PortalError | None = None
        start = anyio.current_time()
        await harness.ask("server.time")
        async with anyio.create_task_group() as tasks:
            for salt in range(3):
                tasks.start_soon(harness.ask, "server.time", 1, salt)
            await anyio.sleep(0.01)
            try:
                await harness.ask("profile")
            except QueueFullError as full:
                error = full
            tasks.cancel_scope.cancel()
        assert anyio.current_time() - start < 0.1
        assert str(error) == (
            "QUEUE_FULL: 3 calls wait for the portal's rate limit already; this one was not sent, nothing "
            "has changed. Try again in 10 seconds."
        )


async def test_queue_serves_in_order_of_arrival() -> None:
    async with open_harness(Limits(rate=1, burst=1, cache=0, deadline=99), rate=math.inf) as harness:
        await harness.ask("server.time")
        users = [5, 1, 9, 7, 1, 12]
        async with anyio.create_task_group() as tasks:
            for place, number in enumerate(users):
                tasks.start_soon(harness.ask, "profile", number, place)
        assert [request.user for request in harness.demo.requests[1:]] == [5, 1, 9, 7, 12]


async def test_progress_is_reported_while_a_call_waits_for_the_rate_limit() -> None:
    told: list[tuple[float, str]] = []

    async def report(seconds: float, text: str) -> None:
        told.append((seconds, text))

    async with open_harness(Limits(rate=0.25, burst=1, cache=0), rate=math.inf) as harness:
        await harness.ask("server.time")
        with deadline(20, report):
            await harness.ask("profile")
    assert [round(seconds) for seconds, _ in told] == [1, 2, 3, 4]
    assert told[0][1] == "Waiting for the portal's rate limit: 0 calls before this one, about 4 seconds."


async def test_progress_listener_that_fails_or_hangs_delays_nothing() -> None:
    async def report(seconds: float, _: str) -> None:
        if seconds < 2:
            raise OSError("the client has gone")
        await anyio.sleep(1000)

    async with open_harness(Limits(rate=0.25, burst=1, cache=0), rate=math.inf) as harness:
        await harness.ask("server.time")
        start = anyio.current_time()
        with pytest.raises(DeadlineError), deadline(3, report):
            await harness.ask("profile")
        assert anyio.current_time() - start == 3


async def test_closing_the_pipeline_ends_all_calls() -> None:
    async with open_harness() as harness:
        harness.demo.fail("*", Fault(silent=True))
        with anyio.fail_after(1):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_shut_out, harness)
                await anyio.sleep(0.1)
                await harness.pipeline.aclose()


async def _shut_out(harness: Harness) -> None:
    with pytest.raises(PortalError, match="SHUTTING_DOWN"):
        await harness.ask("server.time")


async def test_call_context_has_an_id() -> None:
    with deadline(1) as call:
        assert current_call() is call
        assert len(call.id) == 8
    assert current_call() is None
