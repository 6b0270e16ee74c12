"""A user who has signed in at the demo portal, and a folder of their own to keep that."""

import math
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import stored_tokens
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from conftest import NOW
from conversation import Era
from mcp import Client

ORIGIN = "https://demo.bitrix24.example"
Connect = Callable[[], AbstractAsyncContextManager[Client]]


@pytest.fixture
def portal() -> DemoPortal:
    """A demo portal in no hurry, whose clock stands still."""
    return DemoPortal(chats=5, clock=NOW.timestamp, rate=math.inf, burst=math.inf)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sign-ins are kept."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "bitrix24-chat-mcp" / "sign-ins"


@pytest.fixture
def kept(folder: Path, portal: DemoPortal) -> Callable[[], dict[str, str]]:
    """Sign user 1 in; return a way to look at what is kept."""
    pair = portal.token()
    stored_tokens.write(folder, ORIGIN, portal=ORIGIN, user="1", access=pair.access, refresh=pair.refresh)
    return lambda: stored_tokens.read(folder, ORIGIN)


@pytest.fixture
def connect(era: Era, portal: DemoPortal, folder: Path) -> Connect:
    """Return a way to start a server with the portal's application; `folder` is where it keeps things."""
    del folder
    application = {
        "portal": ORIGIN,
        "server": ORIGIN,
        "client_id": portal.client_id,
        "client_secret": portal.client_secret,
        "store": "file",
    }

    @asynccontextmanager
    async def start() -> AsyncGenerator[Client]:
        settings = Settings.model_validate(
            {"oauth": application, "limits": {"rate": 1000, "burst": 1_000_000, "cache": 0}}
        )
        async with Client(
            build_server(settings, HttpClient(transport=in_process(portal))), mode=era
        ) as client:
            yield client

    return start


@pytest.fixture
async def base(portal: DemoPortal) -> AsyncGenerator[str]:
    async with serving(portal) as base:
        yield base


@pytest.fixture
def environment(base: str, portal: DemoPortal, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BITRIX24_")}
    application = {
        "PORTAL": base,
        "SERVER": base,
        "CLIENT_ID": portal.client_id,
        "CLIENT_SECRET": portal.client_secret,
        "STORE": "file",
    }
    places = {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    tests = {"PYTHONPATH": str(Path(__file__).parents[1])}
    return kept | places | tests | {f"BITRIX24_OAUTH__{name}": value for name, value in application.items()}


def renewals(portal: DemoPortal) -> int:
    """How often the OAuth server was asked for a pair."""
    return sum(request.method == "oauth.token" for request in portal.requests)
