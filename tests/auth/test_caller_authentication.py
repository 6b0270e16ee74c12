"""Who is let in over HTTP, and that nobody is let in as somebody else."""

from typing import Any

import httpx
import pytest
from bitrix24_chat_mcp.portal.api.credentials import is_listed
from bitrix24_chat_mcp.settings.load import ConfigError, load
from bitrix24_demo_portal import DemoPortal
from support.conversation import Era
from support.team import Serve, caller

TOKEN = "t0ken" * 8
EVERYWHERE = "0.0.0.0"  # noqa: S104 - no server is started
INIT: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "list_recent_chats", "arguments": {}},
}


def webhook(portal: DemoPortal, user: int = 7) -> dict[str, str]:
    return {"X_Bitrix24_Webhook": portal.webhook(user)}


async def test_each_request_is_its_webhook_s_user(serve: Serve, portal: DemoPortal, era: Era) -> None:
    async with serve(auth=["webhook-header"], portals=["demo.bitrix24.example"]) as base:
        for user in (1, 7):
            async with caller(base, era, **webhook(portal, user)) as client:
                assert not (await client.call_tool("list_recent_chats")).is_error
                assert portal.requests[-1].user == user


async def test_the_bearer_of_the_one_token_is_the_owner(serve: Serve, portal: DemoPortal, era: Era) -> None:
    async with (
        serve(auth=["bearer"], bearer_token=TOKEN, webhook_url=portal.webhook(7)) as base,
        caller(base, era, Authorization=f"Bearer {TOKEN}") as client,
    ):
        assert not (await client.call_tool("list_recent_chats")).is_error
        assert portal.requests[-1].user == 7


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"X-Bitrix24-Webhook": ""},
        {"X-Bitrix24-Webhook": "nonsense"},
        {"X-Bitrix24-Webhook": "https://evil.example/rest/1/s3cr3tc0de12345x/"},
        {"X-Bitrix24-Webhook": "https://demo.bitrix24.example.evil.example/rest/1/s3cr3tc0de12345x/"},
        {"X-Bitrix24-Webhook": "https://demo.bitrix24.example:8443/rest/1/s3cr3tc0de12345x/"},
        {"X-Bitrix24-Webhook": "https://demo.bitrix24.example@evil.example/rest/1/s3cr3tc0de12345x/"},
        {"X-Bitrix24-Webhook": "http://127.0.0.1/rest/1/s3cr3tc0de12345x/"},
    ],
)
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_a_request_without_credentials_is_nobody_s(
    serve: Serve, portal: DemoPortal, headers: dict[str, str], path: str
) -> None:
    ways = ["bitrix24", "webhook-header", "bearer"]
    async with (
        serve(
            auth=ways,
            bearer_token=TOKEN,
            portals=["demo.bitrix24.example"],
            webhook_url=portal.webhook(1),
        ) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        for verb in ("GET", "POST", "DELETE"):
            refused = await http.request(verb, path, json=INIT, headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer ")
            assert "s3cr3t" not in refused.text
        assert (await http.get("/healthz")).status_code == 200
    assert not portal.requests


async def test_a_webhook_that_the_portal_refuses_is_nobody_else_s(serve: Serve, portal: DemoPortal) -> None:
    address = "https://demo.bitrix24.example/rest/7/s3cr3tc0de12345x/"
    async with (
        serve(auth=["webhook-header"], portals=["*.bitrix24.example"], webhook_url=portal.webhook(1)) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        refused = await http.post("/mcp", json=INIT, headers={"X-Bitrix24-Webhook": address})
        assert refused.status_code == 401
        assert "INVALID_CREDENTIALS: " in refused.json()["error_description"]
        assert "s3cr3t" not in refused.text


async def test_a_session_is_its_user_s_and_nobody_else_s(serve: Serve, portal: DemoPortal) -> None:
    async with (
        serve(auth=["webhook-header"], portals=["demo.bitrix24.example"]) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        hello = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        }
        accept = {"Accept": "application/json, text/event-stream"}
        mine = {**accept, "X-Bitrix24-Webhook": portal.webhook(7)}
        session = (await http.post("/mcp", json=hello, headers=mine)).headers["mcp-session-id"]
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        guessed = "https://demo.bitrix24.example/rest/7/guessed0guessed0/"
        for address, status in ((portal.webhook(1), 404), (guessed, 401)):
            theirs = {**accept, "X-Bitrix24-Webhook": address, "Mcp-Session-Id": session}
            assert (await http.post("/mcp", json=call, headers=theirs)).status_code == status
        own = {**mine, "Mcp-Session-Id": session}
        assert (await http.post("/mcp", json=call, headers=own)).status_code == 200


async def test_hosts_origins_and_sizes_are_checked_behind_the_gate_too(
    serve: Serve, portal: DemoPortal
) -> None:
    async with (
        serve(
            auth=["webhook-header"],
            portals=["demo.bitrix24.example"],
            allowed_hosts=["mcp.example"],
            allowed_origins=["https://app.example"],
            max_body_bytes=2000,
        ) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        accept = {"Accept": "application/json, text/event-stream", "X-Bitrix24-Webhook": portal.webhook(7)}

        async def status(body: object = INIT, **headers: str) -> int:
            return (await http.post("/mcp", json=body, headers=accept | headers)).status_code

        assert await status(Host="evil.example") == 421
        assert await status(Origin="https://evil.example") == 403
        assert await status({"x": "y" * 3000}) == 413
        fine = await status(Host="mcp.example", Origin="https://app.example")
        assert fine not in {401, 403, 421, 413}


@pytest.mark.parametrize(
    ("http", "complaint"),
    [
        ({"host": EVERYWHERE}, "http.host: only loopback addresses"),
        (
            {"host": EVERYWHERE, "auth": ["webhook-header"], "portals": ["a.example"]},
            "http.public_url: it is missing",
        ),
        ({"auth": ["webhook-header"]}, "http.portals: it is missing"),
        ({"auth": ["bearer"]}, "http.bearer_token: it is missing"),
        ({"auth": ["bearer"], "bearer_token": "short"}, "http.bearer_token: it must have 32 characters"),
        ({"auth": ["bitrix24"]}, "http.public_url: it is missing"),
        ({"auth": ["bitrix24"], "public_url": "https://mcp.example"}, "oauth.client_id: it is missing"),
        ({"auth": ["bitrix24"], "public_url": "http://mcp.example"}, "http.public_url: it must begin with"),
        ({"public_url": "https://example.com/mcp"}, "http.public_url: it has a path"),
        ({"auth": ["none"]}, "http.auth: "),
        ({"portals": ["https://a.example/"]}, "http.portals: it is a host's name"),
    ],
)
def test_a_server_that_could_not_tell_callers_apart_does_not_start(
    http: dict[str, object], complaint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(ConfigError) as error:
        load(transport="http", http=http)
    assert str(error.value).startswith(complaint)
    assert "\n" not in str(error.value)
    assert "short" not in str(error.value)


@pytest.mark.parametrize(
    ("netloc", "listed"),
    [
        ("acme.bitrix24.ru", True),
        ("bitrix24.ru", False),
        (".bitrix24.ru", False),
        ("a.b.bitrix24.ru", False),
        ("acme.bitrix24.ru.evil.example", False),
        ("acme.bitrix24.ru:8443", False),
        ("portal.example:8443", True),
        ("portal.example", False),
    ],
)
def test_a_star_stands_for_one_label(netloc: str, *, listed: bool) -> None:
    assert is_listed(netloc, ["*.bitrix24.ru", "portal.example:8443"]) is listed
