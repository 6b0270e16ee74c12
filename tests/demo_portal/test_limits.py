"""The leaky bucket and the windows of operating time."""

import math

import httpx
from bitrix24_demo_portal import DemoPortal
from support.transport import ASGITransport

from .conftest import NOW, anonymous


async def test_the_bucket_blocks_the_51st_request_and_drains_two_a_second() -> None:
    portal = DemoPortal(clock=lambda: NOW)
    async with anonymous(portal) as client:
        statuses = [(await client.get(portal.webhook() + "server.time")).status_code for _ in range(52)]
        assert statuses == [200] * 50 + [503] * 2
        portal.advance(1)
        statuses = [(await client.get(portal.webhook() + "nope")).status_code for _ in range(3)]
        assert statuses == [404, 404, 503], "the limiter stands in front of everything"
        assert portal.requests[-1].error == "QUERY_LIMIT_EXCEEDED"
    elsewhere = ASGITransport(portal, client=("10.0.0.9", 1))
    async with httpx.AsyncClient(transport=elsewhere) as client:
        assert (await client.get(portal.webhook() + "profile")).status_code == 200


async def test_operating_time_adds_up_by_caller_and_method_in_ten_minutes(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.costs, portal.operating_limit = {"profile": 40.0, "server.time": 0.1}, 70.0
    first = (await client.get("profile")).json()["time"]
    assert (first["operating"], first["operating_reset_at"]) == (40, NOW + 600)
    portal.advance(90)
    assert (await client.get("profile")).json()["time"]["operating"] == 80
    blocked = await client.get("profile")
    assert (blocked.status_code, blocked.json()["error"]) == (429, "OPERATION_TIME_LIMIT")
    assert (await client.get("server.time")).json()["time"]["operating"] == 0, "0.1 s is free"
    assert (await client.get(portal.webhook(5) + "profile")).status_code == 200
    portal.advance(511)
    assert (await client.get("profile")).json()["time"]["operating"] == 80, "the first minute has left"
    assert math.isclose(portal.now(), NOW + 601)
