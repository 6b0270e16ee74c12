"""Servers of one portal, each a process with a user of its own, and callers who keep them busy."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import zip_longest

import httpx
from bitrix24_chat_mcp.auth.grants import GrantStore
from bitrix24_chat_mcp.portal.oauth.application import TokenPair
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.oauth.stored_pair import StoredPair
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.shared.token_store import SharedTokenStore
from bitrix24_demo_portal import DemoPortal

from bench.portal import ServedPortal, demo_portal
from bench.valkey import ValkeyServer

RATE, BURST = 20.0, 100
USERS = (1, 5, 7, 9, 12, 14, 17, 21)  # of the demo portal, one for each server
_SHIFTED = "import time; real = time.time; time.time = lambda: real() + {shift}; "
_SERVE = "import sys; from bitrix24_chat_mcp.__main__ import main; sys.exit(main())"
_STATE_KEY = "k" * 32
_BASE = "http://127.0.0.1:1"  # what all servers are called; nobody goes there


@asynccontextmanager
async def team(
    servers: int, engine: ValkeyServer | None = None, ahead: int = 0, *, signed_in: bool = False
) -> AsyncGenerator[tuple[ServedPortal, Sequence[Process]]]:
    """Start servers that are always busy; the last one's clock is ahead by so many seconds."""
    async with AsyncExitStack() as stack:
        chosen = USERS[:servers]
        portal = await stack.enter_async_context(
            demo_portal(RATE, burst=BURST, users=chosen if signed_in else ())
        )
        bearers = [await _sign_in(engine, portal, user) for user in portal.tokens] if engine else []
        starting = [
            stack.enter_async_context(
                server(portal.origin, user, engine, ahead if user == chosen[-1] else 0, signed_in=signed_in)
            )
            for user in chosen
        ]
        started = [await each for each in starting]
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=60))
        async with asyncio.TaskGroup() as tasks:
            each = zip_longest((port for _, port in started), bearers, fillvalue="")
            busy = [tasks.create_task(_keep_busy(http, int(port), bearer)) for port, bearer in each]
            yield portal, [process for process, _ in started]
            for task in busy:
                task.cancel()


async def _sign_in(engine: ValkeyServer, portal: ServedPortal, user: int) -> str:
    """Store what a sign-in stores; return the access token that an assistant gets."""
    key, connected = f"{portal.origin}#{user}", Engine(engine.url)
    store = SharedTokenStore(connected, Sealer(_STATE_KEY.encode()))
    access, refresh = portal.tokens[user]
    pair = TokenPair(portal.origin, str(user), access, refresh)
    await store.save(key, StoredPair(pair, 0).text(), generation=None)
    grants = GrantStore(store, _STATE_KEY.encode())
    tokens = await grants.begin("bench", key, ["chats"], f"{_BASE}/mcp")
    await connected.aclose()
    return tokens.access_token


async def _keep_busy(http: httpx.AsyncClient, port: int, bearer: str) -> None:
    with suppress(httpx.TransportError):  # until the server is killed
        while True:
            await pin(http, port, bearer)
            if bearer:
                await _call(http, port, bearer, "list_recent_chats", {})


@asynccontextmanager
async def server(
    origin: str,
    user: int,
    engine: ValkeyServer | None,
    ahead: int = 0,
    extra: dict[str, str] | None = None,
    *,
    signed_in: bool = False,
) -> AsyncGenerator[tuple[Process, int]]:
    """Start a server for one user of the portal; give its process and port."""
    settings = {
        "BITRIX24_TRANSPORT": "http",
        "BITRIX24_HTTP__PORT": "0",
        "BITRIX24_LIMITS__RATE": str(RATE),
        "BITRIX24_LIMITS__BURST": str(BURST),
    }
    portal = DemoPortal(chats=300)
    if signed_in:
        settings |= {
            "BITRIX24_HTTP__AUTH": "bitrix24",
            "BITRIX24_HTTP__PUBLIC_URL": _BASE,
            "BITRIX24_OAUTH__PORTAL": origin,
            "BITRIX24_OAUTH__SERVER": origin,
            "BITRIX24_OAUTH__CLIENT_ID": portal.client_id,
            "BITRIX24_OAUTH__CLIENT_SECRET": portal.client_secret,
        }
    else:
        settings["BITRIX24_WEBHOOK_URL"] = portal.webhook(user, origin)
    if engine:
        settings |= {"BITRIX24_SHARED__URL": engine.url, "BITRIX24_HTTP__STATE_KEY": _STATE_KEY}
    program = (_SHIFTED.format(shift=ahead) if ahead else "") + _SERVE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env=os.environ | settings | (extra or {}),
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        said = (await (process.stderr or asyncio.StreamReader()).readline()).decode()
        yield process, int(said.rstrip().removesuffix("/mcp").rpartition(":")[2])
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def pin(http: httpx.AsyncClient, port: int, bearer: str = "", *, pinned: bool = True) -> None:
    await _call(http, port, bearer, "pin_chat", {"dialog_id": "chat1201", "pin": pinned})


async def _call(
    http: httpx.AsyncClient, port: int, bearer: str, tool: str, arguments: dict[str, object]
) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    call = {"name": tool, "arguments": arguments, "_meta": meta}
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    } | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    (await http.post(f"http://127.0.0.1:{port}/mcp", json=body, headers=headers)).raise_for_status()
