"""Clients that other people wrote list the tools, list chats, pin one, and read one error."""

import json
import subprocess
from pathlib import Path

import pytest
from strangers import HERE, PROGRAMS, Environment
from support.commands import COMMAND, environment

STDIO = [*COMMAND, "--demo"]


@pytest.fixture(params=["stdio", "http"])
def server(request: pytest.FixtureRequest, address: str) -> list[str]:
    """What a client is told about the server: a command with its arguments, or an address."""
    return STDIO if request.param == "stdio" else [address]


def converse(*command: str | Path) -> None:
    """Let a program hold the conversation, and see what came of it."""
    done = subprocess.run(
        command, env=environment(), cwd=HERE, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["tools"] == ["list_recent_chats", "pin_chat"]
    assert seen["listed"]["shown"] == len(seen["listed"]["chats"]) == 10
    assert seen["pinned"]["pinned"] is True
    assert seen["refused"].startswith("ACCESS_ERROR: ")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_typescript_client_of_version_2(node: str, packages: Path, mode: str, server: list[str]) -> None:
    assert packages.exists()
    converse(node, PROGRAMS / "typescript_2.mjs", mode, *server)


def test_the_typescript_client_of_version_1(node: str, packages: Path, server: list[str]) -> None:
    assert packages.exists()
    converse(node, PROGRAMS / "typescript_1.mjs", *server)


@pytest.mark.parametrize(
    ("requirements", "program"),
    [
        ("pydantic-ai", "pydantic_ai_agent.py"),
        ("pydantic-ai", "fastmcp_client.py"),
        ("langchain", "langchain_tools.py"),
    ],
)
def test_python_clients(
    environment_of: Environment, requirements: str, program: str, server: list[str]
) -> None:
    converse(environment_of(requirements), PROGRAMS / program, *server)
