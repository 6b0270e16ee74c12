"""Calls that wait together travel together, and nobody else's with them."""

import math
from typing import Any

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault

from portal.office import Office, office

SLOW = Limits(rate=1, burst=1, deadline=60, cache=0)


def decoded(answer: ApiResult) -> Any:
    import msgspec  # noqa: PLC0415

    return msgspec.json.decode(answer.result)


def told(answer: ApiResult) -> list[Any]:
    """Return the chats of a list without the people, who are active as time goes by."""
    return [{**chat, "user": None} for chat in decoded(answer) if chat]


async def gather(here: Office, *requests: Request) -> list[ApiResult | PortalError]:
    """Make calls at once, with the bucket empty; return what came of each."""
    await here.ask("server.time")
    here.demo.requests.clear()
    got: list[ApiResult | PortalError] = [PortalError("NONE", "", "")] * len(requests)

    async def call(place: int, request: Request) -> None:
        try:
            got[place] = await here.line(request)
        except PortalError as error:
            got[place] = error

    async with anyio.create_task_group() as tasks:
        for place, request in enumerate(requests):
            tasks.start_soon(call, place, request)
    return got


def recent(here: Office, number: int = 1, **params: Any) -> Request:
    return Request(here.webhook(number), "im.recent.get", params)


def pin(here: Office, dialog_id: str, number: int = 1) -> Request:
    params = {"DIALOG_ID": dialog_id, "PIN": "Y"}
    return Request(here.webhook(number), "im.recent.pin", params, writes=True)


async def test_each_call_of_a_batch_gets_its_own_answer_or_refusal() -> None:
    async with office(SLOW, rate=math.inf) as here:
        got = await gather(
            here, recent(here), pin(here, "5"), pin(here, "chat999999"), recent(here, SKIP_CHAT="Y")
        )
        assert here.methods == ["batch"]
        assert isinstance(got[0], ApiResult)
        assert isinstance(got[3], ApiResult)
        assert len(decoded(got[0])) > len(decoded(got[3])) > 0
        assert isinstance(got[1], ApiResult)
        assert decoded(got[1]) is True
        assert isinstance(got[2], PortalError)
        assert got[2].code == "ACCESS_ERROR"


async def test_an_answer_is_the_same_inside_a_batch_and_outside() -> None:
    async with office(SLOW, rate=math.inf) as here:
        outside = await here.line(recent(here, LAST_SYNC_DATE="2026-05-27T00:00:00+03:00"))
        inside = await gather(here, recent(here, LAST_SYNC_DATE="2026-05-27T00:00:00+03:00"), pin(here, "5"))
        assert here.methods == ["batch"]
        assert isinstance(inside[0], ApiResult)
        assert 0 < len(decoded(outside)) < 57  # the date counts, to the last sign of its offset
        assert told(inside[0]) == told(outside)
        assert inside[0].as_of is not None


async def test_an_empty_answer_is_an_answer() -> None:
    async with office(SLOW, chats=0, rate=math.inf) as here:
        got = await gather(
            here,
            Request(here.webhook(), "im.search.user.list", {"FIND": "nobody at all"}),
            Request(here.webhook(), "server.time", {}),
        )
        assert here.methods == ["batch"]
        assert isinstance(got[0], ApiResult)
        assert decoded(got[0]) == []


async def test_users_never_share_a_request() -> None:
    async with office(SLOW, rate=math.inf) as here:
        got = await gather(here, *(recent(here, number) for number in (1, 5, 7, 1, 5, 7)))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert {request.user for request in here.demo.requests} == {1, 5, 7}
        assert here.methods == ["im.recent.get"] * 3


async def test_at_most_50_calls_travel_in_one_batch_and_in_order() -> None:
    async with office(SLOW, rate=math.inf) as here:
        got = await gather(here, *(pin(here, f"chat{number}") for number in range(1, 121)))
        assert all(isinstance(error, PortalError) and error.code == "ACCESS_ERROR" for error in got)
        assert [len(request.inner) for request in here.demo.requests] == [50, 50, 20]
        asked = [inner.params["DIALOG_ID"] for request in here.demo.requests for inner in request.inner]
        assert asked == [f"chat{number}" for number in range(1, 121)]


async def test_a_method_that_is_refused_in_a_batch_is_sent_alone_and_remembered() -> None:
    async with office(SLOW, rate=math.inf) as here:
        here.demo.fail("im.recent.pin", Fault(error="ERROR_BATCH_METHOD_NOT_ALLOWED"), calls="1")
        got = await gather(here, pin(here, "5"), recent(here))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert here.methods == ["batch", "im.recent.pin"]
        await gather(here, pin(here, "6"), recent(here), recent(here, SKIP_CHAT="Y"))
        assert here.methods == ["im.recent.pin", "batch"]


@pytest.mark.parametrize("code", ["OPERATION_TIME_LIMIT", "ERROR_METHOD_NOT_FOUND"])
async def test_what_bars_only_the_batch_does_not_bar_its_calls(code: str) -> None:
    async with office(SLOW, rate=math.inf) as here:
        here.demo.fail("batch", Fault(error=code))
        got = await gather(here, pin(here, "5"), recent(here))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert here.methods == ["batch", "im.recent.pin", "im.recent.get"]


async def test_a_batch_whose_answer_is_too_large_is_taken_apart() -> None:
    async with office(SLOW, chats=300, rate=math.inf, max_bytes=900_000) as here:
        got = await gather(here, recent(here), recent(here, SKIP_DIALOG="Y"))
        assert here.methods == ["batch", "im.recent.get", "im.recent.get"]
        assert all(isinstance(answer, ApiResult) for answer in got)


async def test_text_that_a_batch_would_read_as_a_reference_travels_alone() -> None:
    async with office(SLOW, rate=math.inf) as here:
        search = Request(here.webhook(), "im.search.chat.list", {"FIND": "$result[c0][0][title]"})
        await gather(here, recent(here), search)
        assert sorted(here.methods) == ["im.recent.get", "im.search.chat.list"]


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "QUERY_LIMIT_EXCEEDED"])
async def test_a_command_that_fails_for_a_moment_is_made_again_without_the_others(code: str) -> None:
    async with office(SLOW, rate=math.inf) as here:
        here.demo.fail("im.recent.pin", Fault(error=code), calls="1")
        got = await gather(here, pin(here, "5"), recent(here))
        assert all(isinstance(answer, ApiResult) for answer in got)
        assert here.methods == ["batch", "im.recent.pin"]


async def test_a_cancelled_member_leaves_the_others_alone() -> None:
    async with office(SLOW, rate=math.inf, latency=1) as here:
        await here.ask("server.time")
        got: list[object] = []
        async with anyio.create_task_group() as tasks:

            async def stays() -> None:
                got.append(await here.user.pin("5", pin=True))

            async def goes() -> None:
                with anyio.move_on_after(1.5):  # the batch is under way by then
                    await here.user.pin("6", pin=True)

            tasks.start_soon(stays)
            tasks.start_soon(goes)
        assert got == [True]
        assert here.methods == ["server.time", "batch"]
