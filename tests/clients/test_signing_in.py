"""People sign in with other people's programs: the official clients, and a real browser."""

import json
from asyncio import StreamReader, StreamWriter, create_subprocess_exec, start_server
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
import httpx
import httpx2
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.transports import http_app
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from browser import Browser, browser, driver, install
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from strangers import HERE, PROGRAMS
from support.conversation import facts
from support.team import BACK, Memory, Person, free_port

ANNA, MARIA = 1, 7


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=5)


@pytest.fixture
async def base(portal: DemoPortal) -> AsyncGenerator[str]:
    async with serving(portal) as base:
        yield base


@pytest.fixture
async def server(
    portal: DemoPortal, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[str]:
    """A team's server, which knows its portal by address alone; and its own address."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    port = free_port()
    application = {"client_id": portal.client_id, "client_secret": portal.client_secret, "store": "file"}
    settings = Settings.model_validate(
        {
            "transport": "http",
            "oauth": {"portal": base, "server": base, **application},
            "http": {"port": port, "public_url": f"http://127.0.0.1:{port}", "auth": ["bitrix24"]},
        }
    )
    async with serving(http_app(build_server(settings), settings.http), port) as address:
        yield address


def own_chats(portal: DemoPortal, user: int) -> set[str]:
    """What the portal itself says of a user's list."""
    rows = portal.world.rows[user].values()
    return {row.chat.title for row in rows if row.chat.title}


@pytest.mark.parametrize("version", ["1", "2"])
async def test_the_official_typescript_client_signs_its_user_in(
    node: str, packages: object, server: str, portal: DemoPortal, base: str, version: str
) -> None:
    del packages  # they are there now
    program = PROGRAMS / "signing_in.mjs"
    process = await create_subprocess_exec(
        node, program, version, f"{server}/mcp", BACK, cwd=HERE, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin
    assert process.stdout
    page = (await process.stdout.readline()).decode().strip()
    came = await Person(portal, MARIA, base).allow(page)
    process.stdin.write(f"{urlencode(came)}\n".encode())
    listed = json.loads(await process.stdout.readline())
    assert await process.wait() == 0
    assert listed
    assert portal.requests[-1].user == MARIA


class Doorstep:
    """Where a browser comes back to: the client's own loopback address."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/back"
        self.came: dict[str, str] = {}
        self.rung = anyio.Event()

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        line = await reader.readline()  # empty where the browser has opened a connection in advance
        path = line.split()[1].decode() if line else ""
        if path.startswith("/back"):
            self.came = dict(parse_qsl(urlsplit(path).query))
            self.rung.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nDone")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def assistant(server: str, window: Browser, name: str) -> AsyncGenerator[Client]:
    """Connect the official Python client; the browser does what its user would."""
    door = Doorstep()

    async def show(address: str) -> None:
        await window.open(address)
        await window.press("Sign in with Bitrix24")
        await window.press(f"Allow as {name}")

    async def wait() -> AuthorizationCodeResult:
        await door.rung.wait()
        return AuthorizationCodeResult.model_validate(door.came)

    metadata = OAuthClientMetadata.model_validate({"redirect_uris": [door.address], "client_name": name})
    auth = OAuthClientProvider(f"{server}/mcp", metadata, Memory(), show, wait)
    async with (
        await start_server(door.answer, "127.0.0.1", door.port),
        httpx2.AsyncClient(auth=auth, timeout=60) as http,
        Client(streamable_http_client(f"{server}/mcp", http_client=http)) as client,
    ):
        yield client


async def test_two_people_sign_in_at_once_with_a_real_browser_and_see_their_own(
    server: str, portal: DemoPortal, tmp_path: Path
) -> None:
    install()
    seen: dict[int, set[str]] = {}

    async def live(http: httpx.AsyncClient, user: int) -> None:
        name = portal.world.people[user].name
        async with (
            browser(http, tmp_path / str(user)) as window,
            assistant(server, window, name) as client,
        ):
            listed = facts(await client.call_tool("list_recent_chats"))
            seen[user] = {chat["title"] for chat in listed["chats"]}
            assert (await window.address()).startswith("http://127.0.0.1:")

    async with driver() as http, anyio.create_task_group() as tasks:
        for user in (ANNA, MARIA):
            tasks.start_soon(live, http, user)
    assert seen[ANNA] & own_chats(portal, ANNA)
    assert seen[MARIA]
    assert seen[ANNA] != seen[MARIA]
