"""A portal's redirects are followed to where its credentials are safe, and nowhere else."""

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
from support.harness import open_harness
from support.transport import ASGITransport


class Network(httpx.AsyncBaseTransport):
    """All hosts are one portal, but those that have moved; it notices who was asked."""

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


async def pin_at(
    old: str, moved: dict[str, str], *, listed: str = "", times: int = 1
) -> tuple[Network, list[str]]:
    """Pin at a portal that may have moved; return the network and what the caller was told."""
    network, notices = Network(moved), list[str]()
    client = HttpClient(transport=lambda: network)
    portal = parse_webhook(network.demo.webhook(base=old))
    async with open_pipeline(client, Limits(moves_to=frozenset(filter(None, [listed])))) as pipeline:
        for _ in range(times):
            with deadline(20) as call:
                assert await Portal(pipeline.send, portal).pin("5", pin=True)
            notices += call.notices
    await client.aclose()
    return network, notices


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://old.bitrix24.ru", "https://new.bitrix24.ru"),
        ("https://old.bitrix24.com", "https://new.bitrix24.com"),
        ("https://crm.acme.co.uk", "https://portal.acme.co.uk"),
        ("https://acme.example", "https://acme.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000"),
        ("http://localhost:8000", "https://localhost:9000"),
    ],
)
async def test_a_redirect_within_a_domain_is_followed_as_a_post(old: str, new: str) -> None:
    network, _ = await pin_at(old, {old: new})
    assert network.asked == [("POST", old), ("POST", new)]
    assert network.demo.requests[0].params["DIALOG_ID"] == "5"


async def test_a_redirect_is_remembered_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    old, new = "https://old.bitrix24.ru", "https://new.bitrix24.ru"
    with caplog.at_level(logging.WARNING):
        network, notices = await pin_at(old, {old: new}, times=3)
    assert [origin for _, origin in network.asked] == [old, new, new, new]
    assert notices == [f"The portal {old} has moved to {new}; webhook_url has its old address"]
    assert caplog.messages == notices


async def test_a_redirect_may_lead_to_another_redirect() -> None:
    a, b, c = (f"https://{name}.bitrix24.ru" for name in "abc")
    network, _ = await pin_at(a, {a: b, b: c}, times=2)
    assert [origin for _, origin in network.asked] == [a, b, c, c]


async def test_a_redirect_to_a_listed_host_is_followed() -> None:
    old, new = "https://acme.bitrix24.ru", "https://crm.acme.example"
    network, _ = await pin_at(old, {old: new}, listed="crm.acme.example")
    assert [origin for _, origin in network.asked] == [old, new]


@pytest.mark.parametrize(
    ("old", "new"),
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
    ],
)
async def test_a_redirect_sends_credentials_to_no_other_owner_s_host(old: str, new: str) -> None:
    network = Network({old: new})
    client = HttpClient(transport=lambda: network)
    portal = parse_webhook(network.demo.webhook(base=old))
    async with open_pipeline(client) as pipeline:
        with pytest.raises(PortalError, match="PORTAL_MOVED: The portal has moved"):
            await Portal(pipeline.send, portal).pin("5", pin=True)
    assert network.asked == [("POST", old)]
    await client.aclose()


async def test_a_redirect_loop_ends() -> None:
    a, b = "https://a.bitrix24.ru", "https://b.bitrix24.ru"
    with pytest.raises(PortalError, match="PORTAL_MOVED"):
        await pin_at(a, {a: b, b: a})


async def test_a_redirect_of_a_batch_moves_all_its_calls() -> None:
    async with open_harness(Limits(rate=1, burst=1), rate=math.inf) as harness:
        await harness.ask("server.time")
        harness.demo.fail("batch", Fault(redirect="https://new.bitrix24.example"), calls=1)
        got: list[bool] = []

        async def pin(dialog_id: str) -> None:
            got.append(await harness.user.pin(dialog_id, pin=True))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pin, "5")
            tasks.start_soon(pin, "7")
        assert got == [True, True]
        assert harness.methods[:2] == ["server.time", "batch"]
