"""What the tests say over HTTP: messages of both eras, the server as a command, and single bytes."""

import json
import re
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from threading import Thread
from typing import Any

from support.commands import COMMAND, environment

ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
CLIENT = {"name": "test", "version": "1"}
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": CLIENT},
}


def message(method: str, **params: Any) -> dict[str, Any]:
    """Write a request of 2026-07-28."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": CLIENT,
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}


def headers(method: str) -> dict[str, str]:
    """Write the headers that go with it."""
    return {**ACCEPT, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}


class Command:
    """The server as a command: where it listens, and all that it has written when it has ended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.written = ""

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def say(self, head: bytes, body: bytes = b"") -> socket.socket:
        """Send a head as it is, and as much of a body."""
        connection = self.connect()
        connection.sendall(head.replace(b"\n", b"\r\n") + body)
        return connection


def dropped(connection: socket.socket) -> bytes:
    """Read until the server ends the connection; fails after half a minute."""
    said = b""
    try:
        while data := connection.recv(65536):
            said += data
    except ConnectionResetError:
        pass
    finally:
        connection.close()
    return said


@contextmanager
def command(folder: Path, *arguments: str, **http: object) -> Generator[Command]:
    """Run the server as a command with the demo portal, until the block ends."""
    file = folder / "config.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"port": 0, **http}.items()]
    file.write_text("\n".join(['transport = "http"', "demo = true", "[http]", *lines]))
    process = Popen(
        [*COMMAND, "--config", str(file), *arguments],
        env=environment(),
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
    )
    assert process.stdout
    try:
        first = process.stdout.readline()
        found = re.search(r":(\d+)/mcp", first)
        assert found, first + process.stdout.read()
        running, lines = Command(int(found[1])), [first]
        reader = Thread(target=lines.extend, args=(process.stdout,))  # or a full pipe would stop the server
        reader.start()
        yield running
    finally:
        process.terminate()
        process.wait(timeout=20)
    reader.join()
    process.stdout.close()
    running.written = "".join(lines)
