"""A portal that moves is followed to where its credentials are safe, and nowhere else."""

import logging
import math

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import open_pipeline
from bitrix24_demo_portal import DemoPortal, Fault
from demo_portal.transport import ASGITransport

from portal.office import office


class Town(httpx.AsyncBaseTransport):
    """All hosts are one portal, but those that have moved; it notes who was asked."""

    def __init__(self, moved: dict[str, str]) -> None:
        self.moved = moved
        self.asked: list[tuple[str, str]] = []
        self.demo = DemoPortal(rate=math.inf)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.asked.append((request.method, origin))
        if origin in self.moved:
            location = self.moved[origin] + request.url.raw_path.decode()
            return httpx.Response(302, headers={"location": location})
        return await ASGITransport(self.demo).handle_async_request(request)


async def visit(
    here: str, moved: dict[str, str], *, listed: str = "", times: int = 1
) -> tuple[Town, list[str]]:
    """Pin at a portal that may have moved; return the town and what the caller was told."""
    town, notes = Town(moved), list[str]()
    carrier = HttpClient(transport=lambda: town)
    portal = parse_webhook(town.demo.webhook(base=here))
    async with open_pipeline(carrier, Limits(moves_to=frozenset(filter(None, [listed])))) as line:
        for _ in range(times):
            with deadline(20) as call:
                assert await Portal(line, portal).pin("5", pin=True)
            notes += call.notices
    await carrier.aclose()
    return town, notes


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("https://old.bitrix24.ru", "https://new.bitrix24.ru"),
        ("https://old.bitrix24.com", "https://new.bitrix24.com"),
        ("https://crm.acme.co.uk", "https://portal.acme.co.uk"),
        ("https://acme.example", "https://acme.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000"),
        ("http://localhost:8000", "https://localhost:9000"),
    ],
)
async def test_a_move_within_a_domain_is_followed_as_a_post(here: str, there: str) -> None:
    town, _ = await visit(here, {here: there})
    assert town.asked == [("POST", here), ("POST", there)]
    assert town.demo.requests[0].params["DIALOG_ID"] == "5"


async def test_the_new_address_is_remembered_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    here, there = "https://old.bitrix24.ru", "https://new.bitrix24.ru"
    with caplog.at_level(logging.WARNING):
        town, notes = await visit(here, {here: there}, times=3)
    assert [origin for _, origin in town.asked] == [here, there, there, there]
    assert notes == [f"The portal {here} has moved to {there}; webhook_url has its old address"]
    assert caplog.messages == notes


async def test_a_portal_may_move_twice() -> None:
    a, b, c = (f"https://{name}.bitrix24.ru" for name in "abc")
    town, _ = await visit(a, {a: b, b: c}, times=2)
    assert [origin for _, origin in town.asked] == [a, b, c, c]


async def test_a_listed_host_is_followed_anywhere() -> None:
    here, there = "https://acme.bitrix24.ru", "https://crm.acme.example"
    town, _ = await visit(here, {here: there}, listed="crm.acme.example")
    assert [origin for _, origin in town.asked] == [here, there]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("https://acme.bitrix24.ru", "https://acme.bitrix24.com"),
        ("https://acme.bitrix24.ru", "https://bitrix24.ru.evil.example"),
        ("https://acme.bitrix24.ru", "http://acme.bitrix24.ru"),
        ("https://acme.bitrix24.ru", "http://127.0.0.1:80"),
        ("https://acme.bitrix24.ru", "https://127.0.0.1"),
        ("https://acme.bitrix24.ru", "ftp://acme.bitrix24.ru"),
        ("https://acme.co.uk", "https://evil.co.uk"),
        ("https://acme.github.io", "https://evil.github.io"),
        ("https://10.0.0.1", "https://11.0.0.1"),
        ("http://127.0.0.1:8000", "http://acme.bitrix24.ru"),
        ("http://127.0.0.1:8000", "http://127.0.0.2:8000"),
        ("https://acme.example", "https://acme.example"),
    ],
)
async def test_credentials_travel_to_no_other_host(here: str, there: str) -> None:
    town = Town({here: there})
    carrier = HttpClient(transport=lambda: town)
    portal = parse_webhook(town.demo.webhook(base=here))
    async with open_pipeline(carrier) as line:
        with pytest.raises(PortalError, match="PORTAL_MOVED: The portal has moved"):
            await Portal(line, portal).pin("5", pin=True)
    assert town.asked == [("POST", here)]
    await carrier.aclose()


async def test_two_portals_that_send_to_each_other_are_not_chased_for_ever() -> None:
    a, b = "https://a.bitrix24.ru", "https://b.bitrix24.ru"
    with pytest.raises(PortalError, match="PORTAL_MOVED"):
        await visit(a, {a: b, b: a})


async def test_a_batch_moves_as_a_whole() -> None:
    async with office(Limits(rate=1, burst=1), rate=math.inf) as here:
        await here.ask("server.time")
        here.demo.fail("batch", Fault(redirect="https://new.bitrix24.example"), calls=1)
        got: list[bool] = []

        async def pin(dialog_id: str) -> None:
            got.append(await here.user.pin(dialog_id, pin=True))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pin, "5")
            tasks.start_soon(pin, "7")
        assert got == [True, True]
        assert here.methods[:2] == ["server.time", "batch"]
