"""Calls that wait together travel together, and nobody else's with them."""

import math
from typing import Any

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault
from support.harness import Harness, open_harness

SLOW = Limits(rate=1, burst=1, deadline=60, cache=0)


def decoded(answer: ApiResult) -> Any:
    import msgspec  # noqa: PLC0415

    return msgspec.json.decode(answer.result)


def told(answer: ApiResult) -> list[Any]:
    """Return the chats of a list without the people, who are active as time goes by."""
    return [{**chat, "user": None} for chat in decoded(answer) if chat]


async def gather(harness: Harness, *requests: Request) -> list[ApiResult | PortalError]:
    """Make calls at once, with the bucket empty; return what came of each."""
    await harness.ask("server.time")
    harness.demo.requests.clear()
    got: list[ApiResult | PortalError] = [PortalError("NONE", "", "")] * len(requests)

    async def call(place: int, request: Request) -> None:
        try:
            got[place] = await harness.pipeline.send(request)
        except PortalError as error:
            got[place] = error

    async with anyio.create_task_group() as tasks:
        for place, request in enumerate(requests):
            tasks.start_soon(call, place, request)
    return got


def recent(harness: Harness, number: int = 1, **params: Any) -> Request:
    return Request(harness.webhook(number), "im.recent.get", params)


def pin(harness: Harness, dialog_id: str, number: int = 1) -> Request:
    params = {"DIALOG_ID": dialog_id, "PIN": "Y"}
    return Request(harness.webhook(number), "im.recent.pin", params, writes=True)


async def test_batch_gives_each_call_its_own_answer_or_error() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        got = await gather(
            harness,
            recent(harness),
            pin(harness, "5"),
            pin(harness, "chat999999"),
            recent(harness, SKIP_CHAT="Y"),
        )
        assert harness.methods == ["batch"]
        assert isinstance(got[0], ApiResult)
        assert isinstance(got[3], ApiResult)
        assert len(decoded(got[0])) > len(decoded(got[3])) > 0
        assert isinstance(got[1], ApiResult)
        assert decoded(got[1]) is True
        assert isinstance(got[2], PortalError)
        assert got[2].code == "ACCESS_ERROR"


async def test_batch_answers_what_a_single_request_answers() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        outside = await harness.pipeline.send(recent(harness, LAST_SYNC_DATE="2026-05-27T00:00:00+03:00"))
        inside = await gather(
            harness, recent(harness, LAST_SYNC_DATE="2026-05-27T00:00:00+03:00"), pin(harness, "5")
        )
        assert harness.methods == ["batch"]
        assert isinstance(inside[0], ApiResult)
        assert 0 < len(decoded(outside)) < 57  # the date counts, to the last sign of its offset
        assert told(inside[0]) == told(outside)
        assert inside[0].as_of is not None


async def test_batch_with_an_empty_answer() -> None:
    async with open_harness(SLOW, chats=0, rate=math.inf) as harness:
        got = await gather(
            harness,
            Request(harness.webhook(), "im.search.user.list", {"FIND": "nobody at all"}),
            Request(harness.webhook(), "server.time", {}),
        )
        assert harness.methods == ["batch"]
        assert isinstance(got[0], ApiResult)
        assert decoded(got[0]) == []


async def test_batch_holds_calls_of_one_user_only() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        got = await gather(harness, *(recent(harness, number) for number in (1, 5, 7, 1, 5, 7)))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert {request.user for request in harness.demo.requests} == {1, 5, 7}
        assert harness.methods == ["im.recent.get"] * 3


async def test_batch_takes_at_most_50_calls_and_in_order() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        got = await gather(harness, *(pin(harness, f"chat{number}") for number in range(1, 121)))
        assert all(isinstance(error, PortalError) and error.code == "ACCESS_ERROR" for error in got)
        assert [len(request.inner) for request in harness.demo.requests] == [50, 50, 20]
        asked = [inner.params["DIALOG_ID"] for request in harness.demo.requests for inner in request.inner]
        assert asked == [f"chat{number}" for number in range(1, 121)]


async def test_batch_is_avoided_for_a_method_that_was_refused_in_one() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        harness.demo.fail("im.recent.pin", Fault(error="ERROR_BATCH_METHOD_NOT_ALLOWED"), calls="1")
        got = await gather(harness, pin(harness, "5"), recent(harness))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert harness.methods == ["batch", "im.recent.pin"]
        await gather(harness, pin(harness, "6"), recent(harness), recent(harness, SKIP_CHAT="Y"))
        assert harness.methods == ["im.recent.pin", "batch"]


async def test_batch_that_is_too_long_for_the_portal_loses_none_of_its_calls() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        harness.demo.fail("im.recent.pin", Fault(error="ERROR_BATCH_LENGTH_EXCEEDED"), calls="1")
        got = await gather(harness, recent(harness), pin(harness, "5"))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert harness.methods == ["batch", "im.recent.pin"]


@pytest.mark.parametrize("no_errors", [None, False, "", {}, {"c0": None}, "missing"])
async def test_batch_answer_without_errors_may_say_so_in_any_form(no_errors: object) -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        told: dict[str, object] = {"result": {"c0": True, "c1": []}, "result_error": no_errors}
        if no_errors == "missing":
            del told["result_error"]
        harness.demo.fail("batch", Fault(body={"result": told}))
        got = await gather(harness, pin(harness, "5"), recent(harness))
        assert [decoded(answer) for answer in got if isinstance(answer, ApiResult)] == [True, []]
        assert harness.methods == ["batch"]


async def test_batch_answer_with_an_odd_error_costs_that_call_only() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        told: dict[str, object] = {"result": {"c1": []}, "result_error": {"c0": "ACCESS_ERROR"}}
        harness.demo.fail("batch", Fault(body={"result": told}))
        refused, listed = await gather(harness, pin(harness, "5"), recent(harness))
        assert isinstance(refused, PortalError)
        assert refused.code == "ACCESS_ERROR"
        assert isinstance(listed, ApiResult)
        assert harness.methods == ["batch"]


@pytest.mark.parametrize(
    "code",
    [
        "OPERATION_TIME_LIMIT",
        "ERROR_METHOD_NOT_FOUND",
        "ERROR_BATCH_LENGTH_EXCEEDED",
        "ERROR_BATCH_METHOD_NOT_ALLOWED",
    ],
)
async def test_batch_that_is_refused_as_a_whole_is_retried_as_single_requests(code: str) -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        harness.demo.fail("batch", Fault(error=code))
        got = await gather(harness, pin(harness, "5"), recent(harness))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert harness.methods == ["batch", "im.recent.pin", "im.recent.get"]


async def test_batch_whose_answer_is_too_large_is_retried_as_single_requests() -> None:
    async with open_harness(SLOW, chats=300, rate=math.inf, max_bytes=900_000) as harness:
        got = await gather(harness, recent(harness), recent(harness, SKIP_DIALOG="Y"))
        assert harness.methods == ["batch", "im.recent.get", "im.recent.get"]
        assert all(isinstance(answer, ApiResult) for answer in got)


async def test_batch_excludes_text_that_it_would_read_as_a_reference() -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        search = Request(harness.webhook(), "im.search.chat.list", {"FIND": "$result[c0][0][title]"})
        await gather(harness, recent(harness), search)
        assert sorted(harness.methods) == ["im.recent.get", "im.search.chat.list"]


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "QUERY_LIMIT_EXCEEDED"])
async def test_batch_retries_a_command_with_a_transient_error_without_the_others(code: str) -> None:
    async with open_harness(SLOW, rate=math.inf) as harness:
        harness.demo.fail("im.recent.pin", Fault(error=code), calls="1")
        got = await gather(harness, pin(harness, "5"), recent(harness))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert harness.methods == ["batch", "im.recent.pin"]


async def test_batch_continues_when_one_of_its_calls_is_cancelled() -> None:
    async with open_harness(SLOW, rate=math.inf, latency=1) as harness:
        await harness.ask("server.time")
        got: list[object] = []
        async with anyio.create_task_group() as tasks:

            async def stays() -> None:
                got.append(await harness.user.pin("5", pin=True))

            async def goes() -> None:
                with anyio.move_on_after(1.5):  # the batch is under way by then
                    await harness.user.pin("6", pin=True)

            tasks.start_soon(stays)
            tasks.start_soon(goes)
        assert got == [True]
        assert harness.methods == ["server.time", "batch"]
