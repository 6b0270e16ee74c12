"""Connections that send slowly, or nothing: each is dropped, with either HTTP parser."""

import asyncio
import json
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bitrix24_chat_mcp.mcp_server.connections import connection_class
from bitrix24_chat_mcp.mcp_server.transports import open_listener
from bitrix24_chat_mcp.settings.sections import HttpSettings
from starlette.types import Receive, Scope, Send
from support.http_wire import ACCEPT, HELLO, Command, command, dropped, headers, message
from uvicorn import Config
from uvicorn.server import ServerState


def is_over(connection: socket.socket, drop: bytes) -> bool:
    """Send one drop more; tell whether the server has ended the connection."""
    try:
        connection.sendall(drop)
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True


POST = b"POST %s HTTP/1.1\nHost: 127.0.0.1\nContent-Type: application/json\nContent-Length: 1000\n\n"


@pytest.fixture(params=["h11", "httptools"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Command]:
    if request.param == "h11":  # as where the extra `speed` is not installed
        (tmp_path / "httptools.py").write_text("raise ImportError")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with command(tmp_path, request_seconds=0.5) as running:
        yield running


def test_half_open_connections_are_dropped(server: Command) -> None:
    idle = [server.connect() for _ in range(200)]
    assert [dropped(connection) for connection in idle] == [b""] * 200
    assert httpx.get(f"{server.base}/healthz").status_code == 200


@pytest.mark.parametrize(
    "head", [b"P", b"POST /mcp HTTP/1.1\n", b"POST /mcp HTTP/1.1\nHost: 127.0.0.1\nX-A: a"]
)
def test_a_head_that_does_not_end_is_dropped_slow_loris(server: Command, head: bytes) -> None:
    assert dropped(server.say(head)) == b""


def test_a_head_that_grows_drop_by_drop_is_dropped_slow_loris(server: Command) -> None:
    with server.say(b"POST /mcp HTTP/1.1\nHost: 127.0.0.1\n") as connection:
        connection.settimeout(0.05)
        assert any(is_over(connection, b"X-%d: 1\r\n" % number) for number in range(200))


@pytest.mark.parametrize("path", [b"/mcp", b"/token", b"/healthz"])
def test_a_body_that_does_not_end_is_refused_and_dropped_slow_loris(server: Command, path: bytes) -> None:
    said = dropped(server.say(POST % path, b"{"))
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.5 seconds" in said


def test_a_second_request_of_a_connection_has_its_own_time(server: Command) -> None:
    whole = b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n"
    said = dropped(server.say(whole + whole + b"GET /healthz HTTP/1.1\nHost:"))
    assert said.count(b"HTTP/1.1 200 OK") == 2


def test_a_stream_outlives_the_time_for_requests(server: Command) -> None:
    with httpx.Client(base_url=server.base, headers=ACCEPT) as http:
        session = http.post("/mcp", json=HELLO).headers["mcp-session-id"]
        with http.stream("GET", "/mcp", headers={"Mcp-Session-Id": session}) as stream:
            assert stream.status_code == 200
            assert dropped(server.connect()) == b"", "and meanwhile the time has passed"
            again = http.post("/mcp", json=HELLO | {"id": 2})
            assert again.status_code == 200
            assert not stream.is_closed


def test_a_request_with_two_hosts_is_refused(server: Command) -> None:
    two = b"GET /healthz HTTP/1.1\nHost: 127.0.0.1:1\nHost: evil.example\nConnection: close\n\n"
    assert dropped(server.say(two)).split(b"\r\n")[0].split()[1] in {b"400", b"421"}


CALL = message("tools/call", name="list_recent_chats", arguments={"limit": 200, "detail": "full"})
LIST = json.dumps(CALL).encode()
LISTING = "".join(
    f"{name}: {value}\n"
    for name, value in {
        **headers("tools/call"),
        "Mcp-Name": "list_recent_chats",
        "Host": "127.0.0.1:8000",
    }.items()
)


def test_answers_that_are_not_read_are_dropped_slow_read(server: Command) -> None:
    head = f"POST /mcp HTTP/1.1\n{LISTING}Content-Length: {len(LIST)}\n\n".replace("\n", "\r\n").encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall((head + LIST) * 600)  # 20 MB of answers, more than systems buffer
        for _ in range(4):
            assert dropped(server.connect()) == b"", "and meanwhile the time has passed"
        assert 0 < dropped(connection).count(b"HTTP/1.1 200 OK") < 600


def test_aborted_posts_leave_nothing_in_the_log(tmp_path: Path) -> None:
    with command(tmp_path) as server:
        accept = b"Accept: application/json, text/event-stream\n"
        for era in (b"", accept, accept + b"MCP-Protocol-Version: 2026-07-28\nMcp-Method: tools/list\n"):
            head = (POST % b"/mcp").replace(b"Content-Type", era + b"Content-Type")
            server.say(head, json.dumps(HELLO).encode()).close()
        assert httpx.get(f"{server.base}/healthz").status_code == 200
    assert "Traceback" not in server.written
    assert "ERROR" not in server.written


async def test_of_too_many_connections_that_say_nothing_the_oldest_is_dropped() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    config, state = Config(app, log_config=None, lifespan="off"), ServerState()
    config.load()
    kind: Any = connection_class(60, 1000, max_waiting=3)
    listening = await asyncio.get_running_loop().create_server(
        lambda: kind(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        assert [await said[0].read() for said in silent[:2]] == [b"", b""]
        assert not any(said[0].at_eof() for said in silent[2:])
        for one in (writer, *(writer for _, writer in silent)):
            one.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_accepted_connections_send_at_once_tcp_nodelay(host: str) -> None:
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = open_listener(HttpSettings(host=host, port=0))
    async with await asyncio.start_server(note, sock=listener):
        _, writer = await asyncio.open_connection(host, listener.getsockname()[1])
        assert await accepted
        writer.close()
