"""Webhooks that callers show: invented ones cost their sender, and nobody else."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from bitrix24_chat_mcp.auth.attempts import MOST_REFUSALS, network
from bitrix24_chat_mcp.auth.webhooks import REFUSED_SECONDS, VERIFIED_SECONDS
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.transports import http_app
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal, Fault
from starlette.applications import Starlette
from support.asgi import Exchange, answer, asking
from support.conversation import VIRTUAL_TIME
from support.http_wire import ACCEPT, HELLO, headers, message

BEGIN = 1_795_000_000
LIST = message("tools/call", name="list_recent_chats", arguments={})
INVENTED = "https://demo.bitrix24.example/rest/%d/1nvented%dc0de12345/"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return VIRTUAL_TIME


@pytest.fixture
async def portal() -> DemoPortal:
    """A portal with Bitrix24's limits."""
    return DemoPortal(chats=5, clock=lambda: BEGIN + asyncio.get_running_loop().time())


@pytest.fixture
async def app(portal: DemoPortal) -> AsyncGenerator[Starlette]:
    settings = Settings.model_validate(
        {
            "transport": "http",
            "http": {"auth": ["webhook-header"], "portals": ["demo.bitrix24.example"], "max_sessions": 20},
        }
    )
    app = http_app(build_server(settings, HttpClient(transport=in_process(portal))), settings.http)
    async with app.router.lifespan_context(app):
        yield app


async def show(app: Starlette, webhook: str, address: str = "192.0.2.1", **more: str) -> Exchange:
    """List the chats with a webhook."""
    named = headers("tools/call") | {"Mcp-Name": "list_recent_chats", "X-Bitrix24-Webhook": webhook} | more
    return await answer(app, LIST, named, address=address)


def profiles(portal: DemoPortal) -> int:
    return sum(request.method == "profile" for request in portal.requests)


async def test_a_webhook_is_verified_once_for_a_bounded_time(app: Starlette, portal: DemoPortal) -> None:
    for _ in range(3):
        assert (await show(app, portal.webhook(7))).status == 200
    assert profiles(portal) == 1
    await asyncio.sleep(VERIFIED_SECONDS)
    assert (await show(app, portal.webhook(7))).status == 200
    assert profiles(portal) == 2


async def test_one_webhook_that_comes_many_times_at_once_is_verified_once(
    app: Starlette, portal: DemoPortal
) -> None:
    shown = await asyncio.gather(*(show(app, portal.webhook(7)) for _ in range(50)))
    assert {each.status for each in shown} == {200}
    assert profiles(portal) == 1


async def test_a_refused_webhook_is_asked_about_once_and_later_again(
    app: Starlette, portal: DemoPortal
) -> None:
    for _ in range(5):
        refused = await show(app, INVENTED % (7, 1))
        assert refused.status == 401
        assert "INVALID_CREDENTIALS" in refused.said
        assert "1nvented" not in refused.said
    assert len(portal.requests) == 1
    await asyncio.sleep(REFUSED_SECONDS)
    await show(app, INVENTED % (7, 1))
    assert len(portal.requests) == 2


async def test_a_webhook_of_another_user_than_it_says_is_refused(app: Starlette, portal: DemoPortal) -> None:
    portal.fail("profile", Fault(body=json.dumps({"result": {"ID": "9"}})), "1")
    assert (await show(app, portal.webhook(7))).status == 401


@pytest.mark.parametrize("profile", [{}, {"ID": None}, {"ID": ["7"]}, {"ID": "None"}, [], "7"])
async def test_an_unreadable_profile_is_no_confirmation_and_no_crash(
    app: Starlette, portal: DemoPortal, profile: object
) -> None:
    portal.fail("profile", Fault(body=json.dumps({"result": profile})), "*")
    refused = await show(app, portal.webhook(7))
    assert refused.status == 503
    assert refused.headers["retry-after"] == "60"


async def test_invented_webhooks_make_nobody_else_wait(app: Starlette, portal: DemoPortal) -> None:
    flood = [
        asyncio.create_task(show(app, INVENTED % (user, user), address="203.0.113.9")) for user in range(330)
    ]
    begun = asyncio.get_running_loop().time()
    assert (await show(app, portal.webhook(7))).status == 200
    assert asyncio.get_running_loop().time() - begun <= 3, "in virtual seconds: the portal's rate is known"
    refused = await asyncio.gather(*flood)
    assert {each.status for each in refused} <= {401, 503}
    assert MOST_REFUSALS <= profiles(portal) - 1 < MOST_REFUSALS + 4


async def test_invented_webhooks_from_many_addresses_make_no_verified_caller_wait(
    app: Starlette, portal: DemoPortal
) -> None:
    own = headers("tools/call") | {"Mcp-Name": "list_recent_chats", "X-Bitrix24-Webhook": portal.webhook(7)}
    assert (await answer(app, message("tools/list"), own | {"Mcp-Method": "tools/list"})).status == 200

    async def invent(number: int) -> None:
        shown = own | {"X-Bitrix24-Webhook": INVENTED % (number, number)}
        async with asking(app, LIST, shown, address=f"198.51.{number}.9") as stranger:
            await asyncio.sleep(30)
            assert stranger.status in {401, 503}

    async with asyncio.TaskGroup() as flood:
        for number in range(200):
            flood.create_task(invent(number))
        await asyncio.sleep(5)
        async with asking(app, LIST, own) as exchange:
            await asyncio.sleep(4)  # in virtual seconds: the portal's rate is known
            assert exchange.over
            assert exchange.status == 200
    assert profiles(portal) < 80, "those of strangers who still waited when their time was up are not asked"


async def test_an_address_that_has_shown_invented_webhooks_has_to_pause_and_others_not(
    app: Starlette, portal: DemoPortal
) -> None:
    for number in range(MOST_REFUSALS):
        await show(app, INVENTED % (number, number))
    paused = await show(app, portal.webhook(7))
    assert paused.status == 503
    assert "too many webhooks from this address" in paused.said
    assert (await show(app, portal.webhook(7), address="192.0.2.2")).status == 200
    assert (await show(app, portal.webhook(7))).status == 200, "it is verified, wherever it comes from"
    await asyncio.sleep(61)
    assert (await show(app, portal.webhook(1))).status == 200


async def test_invented_webhooks_open_no_session(app: Starlette, portal: DemoPortal) -> None:
    for user in range(40):
        shown = {**ACCEPT, "X-Bitrix24-Webhook": INVENTED % (user, user)}
        refused = await answer(app, HELLO, shown)
        assert refused.status in {401, 503}
        assert "mcp-session-id" not in refused.headers
    known = {**ACCEPT, "X-Bitrix24-Webhook": portal.webhook(7)}
    assert (await answer(app, HELLO, known, address="192.0.2.2")).status == 200


async def test_an_audit_line_names_only_a_verified_user_and_every_field_is_bounded(
    app: Starlette, portal: DemoPortal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bitrix24_chat_mcp.audit")
    pin = message("tools/call", name="pin_chat", arguments={"dialog_id": "5"})
    for webhook in (INVENTED % (7, 1), f"https://demo.bitrix24.example/rest/{'x' * 30_000}/c0de12345678/"):
        named = headers("tools/call") | {"Mcp-Name": "pin_chat", "X-Bitrix24-Webhook": webhook}
        assert (await answer(app, pin, named)).status == 401
    named["X-Bitrix24-Webhook"] = portal.webhook(7)
    for arguments in (
        {"dialog_id": "5"},
        {"dialog_id": "chat" + "9" * 30_000},
        {"dialog_id": ["chat" + "9" * 3000] * 99},
    ):
        await answer(app, message("tools/call", name="pin_chat", arguments=arguments), named)
    lines = [json.loads(line) for line in caplog.messages]
    assert {line["user"] for line in lines} == {"7"}
    assert len(lines) == 3
    assert max(map(len, caplog.messages)) < 2000


def test_an_ipv6_caller_is_known_by_its_network() -> None:
    assert network("2001:db8:1:2::3") == network("2001:db8:1:2:ffff::") != network("2001:db8:1:3::3")
    assert network("192.0.2.1") == "192.0.2.1"
    assert network("") == ""
