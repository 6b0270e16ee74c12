"""Every way to fail, in process, on a virtual clock."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import looptime
import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from bitrix24_demo_portal.faults import Calls
from support.transport import ASGITransport

from .conftest import NOW

VirtualLoop = looptime.make_event_loop_class(asyncio.SelectorEventLoop)


def elapsed() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture
async def portal() -> DemoPortal:
    return DemoPortal(clock=lambda: NOW + elapsed())


@pytest.fixture
async def client(portal: DemoPortal) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=ASGITransport(portal), base_url=portal.webhook(base="https://old.example"), timeout=30
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("fault", "status", "content"),
    [
        (Fault(status=418), 418, b""),
        (Fault(body=""), 200, b""),
        (Fault(status=500, body="oops"), 500, b"oops"),
        (Fault(body=b"\xff\x00"), 200, b"\xff\x00"),
        (Fault(body={"result": "a/b"}), 200, b'{"result":"a\\/b"}'),
        (Fault(body=[]), 200, b"[]"),
    ],
    ids=["status", "empty", "text", "bytes", "object", "list"],
)
async def test_any_status_with_any_body(
    portal: DemoPortal, client: httpx.AsyncClient, fault: Fault, status: int, content: bytes
) -> None:
    portal.fail("profile", fault)
    answer = await client.get("profile")
    assert (answer.status_code, answer.content) == (status, content)


async def test_html_of_a_proxy(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.fail("*", Fault(html=True), calls=1)
    portal.fail("*", Fault(html=True, status=504, headers={"Retry-After": "7"}), calls=2)
    bad, late = await client.get("profile"), await client.get("profile")
    assert (bad.status_code, late.status_code, late.headers["retry-after"]) == (502, 504, "7")
    assert "<title>504 Gateway Timeout</title>" in late.text


async def test_a_rest_error_by_its_code(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.fail("profile", Fault(error="OVERLOAD_LIMIT"))
    answer = await client.get("profile")
    assert (answer.status_code, answer.json()["error_description"]) == (
        401,
        "REST API is blocked due to overload.",
    )
    portal.fail("profile", Fault(error="NEW_CODE", text="?", status=499))
    answer = await client.get("profile")
    assert (answer.status_code, answer.json()) == (499, {"error": "NEW_CODE", "error_description": "?"})
    assert portal.requests[-1].error == "NEW_CODE"
    portal.fail("profile", Fault(error="EXPIRED_TOKEN"))
    answer = await client.get("profile")
    assert (answer.status_code, answer.json()["error"]) == (401, "EXPIRED_TOKEN"), "codes come in any case"


async def test_a_portal_that_moved_and_a_hostile_address(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.fail("profile", Fault(redirect="https://new.example/"), calls=1)
    moved = await client.get("profile", params={"a": "b"})
    assert moved.status_code == 302
    path = portal.webhook(base="")
    assert moved.headers["location"] == f"https://new.example{path}profile?a=b"
    portal.fail("profile", Fault(redirect="http://169.254.169.254/latest/meta-data", status=307))
    hostile = await client.get("profile")
    assert (hostile.status_code, hostile.headers["location"]) == (
        307,
        "http://169.254.169.254/latest/meta-data",
    )


async def test_a_truncated_body_has_a_matching_length(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.fail("profile", Fault(truncate=20))
    answer = await client.get("profile")
    assert (len(answer.content), answer.headers["content-length"]) == (20, "20")


async def test_a_connection_closed_before_the_answer(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.fail("im.recent.pin", Fault(close="before"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
        await client.post("im.recent.pin", json={"DIALOG_ID": "chat1217"})
    assert portal.requests[-1].status is None
    assert 1217 not in [row.chat.id for row in portal.world.pins(1)]


async def test_an_answer_that_is_lost_after_the_call_took_effect(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.fail("im.recent.pin", Fault(close="before", performed=True))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("im.recent.pin", json={"DIALOG_ID": "chat1217"})
    assert 1217 in [row.chat.id for row in portal.world.pins(1)]


async def test_a_connection_closed_in_the_middle(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.fail("profile", Fault(close="middle"))
    async with client.stream("GET", "profile") as answer:
        chunks = answer.aiter_raw()
        received = await anext(chunks)
        with pytest.raises(httpx.RemoteProtocolError, match="closed"):
            await anext(chunks)
    assert 0 < len(received) < int(answer.headers["content-length"])


async def test_an_answer_that_never_comes(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.fail("profile", Fault(silent=True))
    start = elapsed()
    with pytest.raises(httpx.ReadTimeout):
        await client.get("profile")
    assert elapsed() - start == pytest.approx(30)


async def test_an_answer_that_drips(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.fail("profile", Fault(drip=1.0))
    start = elapsed()
    answer = await client.get("profile")
    assert answer.json()["result"]["ID"] == "1"
    assert elapsed() - start == pytest.approx(len(answer.content) - 1)


async def test_latency_and_a_delay_add_up(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.latency = 2.0
    portal.fail("profile", Fault(delay=3.0))
    start = elapsed()
    assert (await client.get("profile")).status_code == 200
    assert elapsed() - start == pytest.approx(5)


async def test_a_bucket_that_is_full_already_drains_from_there(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.fail("profile", Fault(full_bucket=True), calls=1)
    assert (await client.get("profile")).status_code == 503
    assert (await client.get("profile")).status_code == 503
    await asyncio.sleep(0.5)
    assert (await client.get("profile")).status_code == 200


@pytest.mark.parametrize(
    ("calls", "failed"),
    [
        (None, "12345"),
        ("*", "12345"),
        (2, "2"),
        ("2", "2"),
        ("1,3-4", "134"),
        ("3-", "345"),
        ({1, 5}, "15"),
        (range(2, 4), "23"),
    ],
    ids=repr,
)
async def test_which_calls_fail(
    portal: DemoPortal, client: httpx.AsyncClient, calls: Calls, failed: str
) -> None:
    await client.get("profile")
    portal.fail("Profile", Fault(status=500), calls=calls)
    await client.get("scope")
    statuses = [(await client.get("profile")).status_code for _ in range(5)]
    assert "".join(str(place) for place, status in enumerate(statuses, 1) if status == 500) == failed
    portal.heal()
    assert (await client.get("profile")).status_code == 200


async def test_the_application_learns_that_a_client_has_gone(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.fail("profile", Fault(silent=True))
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.get("profile")
    assert asyncio.all_tasks() == before, "no task is left behind"


async def test_a_crash_of_the_application_is_the_tests_to_see() -> None:
    async def broken(*_: object) -> None:
        raise LookupError("a bug")

    async with httpx.AsyncClient(transport=ASGITransport(broken)) as client:
        with pytest.raises(LookupError, match="a bug"):
            await client.get("https://any.example/")
