"""How many calls a second HTTP serves, beside the SDK's own runner with a tool that has the answer ready.

Each server is one process, without extras such as uvloop. The tool beside ours has the same output schema
and returns the same text and structure. A third process makes the calls, on connections that are kept, and
reads of an answer no more than where it ends. The servers are asked in turn, so that a busy machine slows
both alike. A call of a tool that does not exist is one without work: it costs what surrounds every call.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from bitrix24_demo_portal import DemoPortal

from bench.portal import demo_portal
from bench.table import Row

CHATS, ROUNDS, SECONDS = 50, 9, 1.0
CONNECTIONS = (1, 16)
MODERN, LEGACY = "2026-07-28", "2025-11-25"
_TICKS = os.sysconf("SC_CLK_TCK")
_READY = """
import json, sys
from typing import Annotated
from bitrix24_chat_mcp.answers.records import ChatList
from mcp.server import MCPServer
from mcp_types import CallToolResult, TextContent
from pydantic import Field

server = MCPServer("ready", log_level="WARNING")
text, structure = json.load(sys.stdin)

@server.tool()
async def list_recent_chats(
    limit: Annotated[int, Field(ge=1, le=200)] = 30,
) -> Annotated[CallToolResult, ChatList]:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structure)

server.run("streamable-http", port=int(sys.argv[1]))
"""
_CLIENT = """
import json, socket, sys, threading, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
requests, answered = json.load(sys.stdin), []

def ask(request):
    count = 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < end:
            connection.sendall(request)
            said = connection.recv(1 << 18)
            while not whole(said):
                said += connection.recv(1 << 18)
            assert said.startswith(b"HTTP/1.1 200"), said
            count += 1
    answered.append(count)

def whole(said):
    head, blank, body = said.partition(b"\\r\\n\\r\\n")
    _, _, length = head.lower().partition(b"content-length: ")
    if not length:
        return body.endswith(b"0\\r\\n\\r\\n")
    return blank and len(body) >= int(length.split(b"\\r\\n")[0])

end = time.perf_counter() + seconds
threads = [threading.Thread(target=ask, args=[request.encode()]) for request in requests]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(answered) == len(requests)
print(sum(answered))
"""


class Server(NamedTuple):
    """A server under test."""

    address: str
    pid: int

    def busy(self) -> float:
        """Return the seconds of a processor that it has used so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - no file of a disk
            user, system = stat.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS


class Measured(NamedTuple):
    """Calls a second, and processor milliseconds a call."""

    rate: float
    busy: float


def rows() -> Generator[Row]:
    """Measure lists in both eras, and calls without work."""
    yield from asyncio.run(_measure())


async def _measure() -> list[Row]:
    async with demo_portal(2, CHATS) as portal, _ours(portal.origin) as ours, _ready(_list(ours)) as ready:
        return [
            *(_lists(ours, ready, era, n) for era in (MODERN, LEGACY) for n in CONNECTIONS),
            *(_without_work(ours, ready, n) for n in CONNECTIONS),
        ]


def _lists(ours: Server, ready: Server, era: str, connections: int) -> Row:
    here, there = _in_turn((ours, ready), "list_recent_chats", era, connections)
    name = f"30 of {CHATS} chats a second over HTTP {era}, {connections} connections: ours / the SDK's, ready"
    return Row(name, here.rate / there.rate, 0.5, _beside(here, there), at_least=True)


def _without_work(ours: Server, ready: Server, connections: int) -> Row:
    here, there = _in_turn((ours, ready), "nothing", MODERN, connections)
    name = f"time of a call without work over HTTP, {connections} connections: ours / the SDK's"
    return Row(name, there.rate / here.rate, 1.2, _beside(here, there))


def _beside(here: Measured, there: Measured) -> str:
    return (
        f"{here.rate:.0f} beside {there.rate:.0f} a second; "
        f"{here.busy:.2f} ms beside {there.busy:.2f} ms of a processor"
    )


def _in_turn(servers: tuple[Server, ...], tool: str, era: str, connections: int) -> list[Measured]:
    # A session is never asked two things under one number, so each connection has its own.
    requests = [[_request(server.address, tool, era) for _ in range(connections)] for server in servers]
    rounds = [[_ask(*one) for one in zip(servers, requests, strict=True)] for _ in range(ROUNDS)]
    return [_best(many) for many in zip(*rounds, strict=True)]


def _best(many: Sequence[Measured]) -> Measured:
    """Return the best of all rounds: what else runs on the machine can only make one worse."""
    return Measured(max(one.rate for one in many), min(one.busy for one in many))


def _ask(server: Server, requests: list[str]) -> Measured:
    command = [sys.executable, "-c", _CLIENT, str(urlsplit(server.address).port), str(SECONDS)]
    before = server.busy()
    done = subprocess.run(  # noqa: S603 - our own command
        command, input=json.dumps(requests), stdout=subprocess.PIPE, text=True, check=True
    )
    calls = int(done.stdout)
    return Measured(calls / SECONDS, (server.busy() - before) / calls * 1000)


def _request(address: str, tool: str, era: str) -> str:
    """Write a call as it goes over the wire."""
    params: dict[str, Any] = {"name": tool, "arguments": {}}
    headers = {"mcp-protocol-version": era}
    if era == MODERN:
        headers |= {"mcp-method": "tools/call", "mcp-name": tool}
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": era,
            "io.modelcontextprotocol/clientInfo": _NAMED,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    else:
        headers["mcp-session-id"] = _session(address)
    request = httpx.Request(
        "POST", address, headers=_ACCEPTED | headers, json=_message(1, "tools/call", params)
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST {urlsplit(address).path} HTTP/1.1\r\n{head}\r\n{request.content.decode()}"


_NAMED = {"name": "bench", "version": "1"}
_ACCEPTED = {"accept": "application/json, text/event-stream"}


def _session(address: str) -> str:
    hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _NAMED}
    with httpx.Client(headers=_ACCEPTED) as client:
        response = client.post(address, json=_message(0, "initialize", hello))
        session = response.raise_for_status().headers["mcp-session-id"]
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        client.post(address, json=ready, headers={"mcp-session-id": session}).raise_for_status()
    return session


def _message(number: int, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _list(server: Server) -> str:
    """Return the text and the structure of an answer as JSON."""
    head, _, body = _request(server.address, "list_recent_chats", MODERN).partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    result = httpx.post(server.address, content=body, headers=headers).raise_for_status().json()["result"]
    return json.dumps([result["content"][0]["text"], result["structuredContent"]])


@asynccontextmanager
async def _ours(origin: str) -> AsyncGenerator[Server]:
    webhook = DemoPortal(chats=CHATS).webhook(base=origin)
    arguments = ("-m", "bitrix24_chat_mcp", "--transport", "http", "--port", "0")
    async with _process(*arguments, environment={"BITRIX24_WEBHOOK_URL": webhook}) as process:
        output = process.stderr or asyncio.StreamReader()
        yield Server((await output.readline()).decode().rpartition(" ")[2].strip(), process.pid)


@asynccontextmanager
async def _ready(answer: str) -> AsyncGenerator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with _process("-c", _READY, str(port), environment={}) as process:
        assert process.stdin  # noqa: S101
        process.stdin.write(answer.encode())
        process.stdin.write_eof()
        await _open(port)
        yield Server(f"http://127.0.0.1:{port}/mcp", process.pid)


async def _open(port: int) -> None:
    """Wait until a server listens: the SDK's says nothing of it."""
    async with asyncio.timeout(20):
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                return


@asynccontextmanager
async def _process(
    *arguments: str, environment: Mapping[str, str]
) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()
