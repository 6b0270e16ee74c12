"""The official Inspector's command line, over stdio and HTTP, in both eras."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import COMMAND, environment

Inspect = Callable[..., tuple[int, Any]]
TOOL_FAILED = 5


@pytest.fixture(params=["stdio", "http legacy", "http modern"])
def inspect(
    request: pytest.FixtureRequest, node: str, packages: Path, address: str, tmp_path: Path
) -> Inspect:
    """Return a way to run the Inspector; it answers with its exit status and what it printed as JSON."""
    program = packages / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
    transport, _, era = request.param.partition(" ")
    http = ["--server-url", address, "--transport", "http", "--protocol-era", era]
    server = http if transport == "http" else [*COMMAND, "--demo"]

    def inspect(method: str, *arguments: str) -> tuple[int, Any]:
        done = subprocess.run(
            [node, program, "--cli", *server, "--method", method, *arguments],
            env=environment(MCP_CATALOG_PATH=str(tmp_path / "catalog.json")),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return inspect


def test_it_finds_the_tools_portable(inspect: Inspect) -> None:
    status, found = inspect("tools/list", "--strict")
    assert status == 0
    assert [tool["name"] for tool in found["tools"]] == ["list_recent_chats", "pin_chat"]


def test_it_lists_pins_and_reads_an_error(inspect: Inspect) -> None:
    status, listed = inspect("tools/call", "--tool-name", "list_recent_chats", "--tool-arg", "limit=10")
    assert status == 0
    chosen = next(chat for chat in listed["structuredContent"]["chats"] if not chat.get("pinned"))
    pin = ("tools/call", "--tool-name", "pin_chat", "--tool-arg")
    status, pinned = inspect(*pin, f"dialog_id={chosen['dialog_id']}")
    assert status == 0
    assert pinned["structuredContent"]["pinned"]
    status, refused = inspect(*pin, "dialog_id=chat999999")
    assert status == TOOL_FAILED
    assert refused["content"][0]["text"].startswith("ACCESS_ERROR: ")


def test_it_reads_a_prompt(inspect: Inspect) -> None:
    status, prompt = inspect("prompts/get", "--prompt-name", "triage_inbox")
    assert status == 0
    assert prompt["messages"][0]["content"]["text"]
