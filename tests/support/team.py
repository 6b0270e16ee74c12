"""A team's server on a real socket, the team's portal behind it, and people with browsers and assistants."""

import math
import os
import re
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.transports import http_app
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

ORIGIN = "https://demo.bitrix24.example"
BACK = "http://127.0.0.1:9/back"
STATE_KEY = "k" * 32


@dataclass
class Person:
    """Somebody with a browser, who allows what is asked as the given user of the portal."""

    portal: DemoPortal
    user: int
    origin: str = ORIGIN
    pages: list[str] = field(default_factory=list[str])
    last: str = ""

    async def allow(self, address: str) -> dict[str, str]:
        """Do in a browser what there is to do, until it leads back to the client; return what it brings."""
        async with httpx.AsyncClient(
            mounts={self.origin: httpx.ASGITransport(self.portal)}, follow_redirects=False
        ) as browser:
            response = await browser.get(address)
            while not (response.is_redirect and response.headers["location"].startswith(BACK)):
                self.pages.append(str(response.url))
                response = await self._step(browser, response)
        self.last = response.headers["location"]
        return {name: values[0] for name, values in parse_qs(urlsplit(self.last).query).items()}

    async def _step(self, browser: httpx.AsyncClient, page: httpx.Response) -> httpx.Response:
        if page.is_redirect:
            return await browser.get(page.url.join(page.headers["location"]))
        action = re.search(r'action="([^"]+)"', page.text)
        assert action, page.text
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
        form = {name: unescape(value) for name, value in hidden}
        chosen = {"answer": "yes"} if 'name="answer"' in page.text else {"user": str(self.user)}
        return await browser.post(page.url.join(action[1]), data=form | chosen)


@dataclass
class Memory:
    """What an assistant keeps of a server: its registration and its tokens."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@asynccontextmanager
async def assistant(
    base: str,
    person: Person,
    memory: Memory | None = None,
    *,
    mode: Any = "auto",
    document: str | None = None,
) -> AsyncGenerator[Client]:
    """Connect the official Python client, which knows the address and nothing else."""
    came: list[dict[str, str]] = []

    async def show(address: str) -> None:
        came.append(await person.allow(address))

    async def wait() -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(came[-1])

    metadata = OAuthClientMetadata.model_validate({"redirect_uris": [BACK], "client_name": "Test assistant"})
    auth = OAuthClientProvider(
        f"{base}/mcp", metadata, memory or Memory(), show, wait, client_metadata_url=document
    )
    async with (
        httpx2.AsyncClient(auth=auth, timeout=20) as http,
        Client(streamable_http_client(f"{base}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@asynccontextmanager
async def caller(base: str, mode: Any = "auto", **headers: str) -> AsyncGenerator[Client]:
    """Connect a client that sends these headers with each request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        httpx2.AsyncClient(headers=named, timeout=20) as http,
        Client(streamable_http_client(f"{base}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=5, rate=math.inf, burst=math.inf)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "bitrix24-chat-mcp" / "sign-ins"


def team_settings(
    portal: DemoPortal,
    *,
    webhook_url: str | None = None,
    store: str = "file",
    toolsets: tuple[str, ...] = (),
    **http: object,
) -> Settings:
    return Settings.model_validate(
        {
            "transport": "http",
            "webhook_url": webhook_url,
            "toolsets": toolsets,
            "oauth": {
                "portal": ORIGIN,
                "server": ORIGIN,
                "client_id": portal.client_id,
                "client_secret": portal.client_secret,
                "store": store,
            },
            "limits": {"rate": 1000, "burst": 1_000_000},
            "http": http,
        }
    )


Serve = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def serve(portal: DemoPortal, folder: Path) -> Serve:
    """Return a way to start a server whose settings for HTTP are these; it gives the server's address."""
    del folder

    @asynccontextmanager
    async def start(
        *,
        port: int = 0,
        documents: HttpClient | None = None,
        state_key: str = STATE_KEY,
        public_url: str = "",
        webhook_url: str | None = None,
        store: str = "file",
        toolsets: tuple[str, ...] = (),
        **http: object,
    ) -> AsyncGenerator[str]:
        port = port or free_port()
        base = public_url or f"http://127.0.0.1:{port}"
        settings = team_settings(
            portal,
            webhook_url=webhook_url,
            store=store,
            toolsets=toolsets,
            port=port,
            public_url=base,
            state_key=state_key,
            **http,
        )
        server = build_server(settings, HttpClient(transport=in_process(portal)))
        async with serving(http_app(server, settings.http, documents), port) as address:
            yield address

    return start


_PORTS = iter(range(20_000 + os.getpid() % 10_000, 32_000))


def free_port() -> int:
    """Return a port for a server that has to know its address before it listens.

    It is below the range that systems choose ports from, so no connection takes it meanwhile, and never the
    same in one run.
    """
    for port in _PORTS:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")
