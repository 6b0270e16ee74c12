"""What may stand in the log: our own sentences, one bounded line each, whatever is said over the wire."""

import logging
import sys
from pathlib import Path
from subprocess import PIPE

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.logs import AUDIT, MAY_LOG, RedactingFormatter
from bitrix24_chat_mcp.mcp_server import audit
from bitrix24_chat_mcp.portal.api.credentials import Webhook
from commands import COMMAND, environment
from conversation import Era, facts
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from .http_wire import ACCEPT, HELLO, command


async def converse(client: Client) -> list[str]:
    """List the chats and read the resource; return what was answered and must not be logged."""
    listed = facts(await client.call_tool("list_recent_chats", {"limit": 5}))
    await client.read_resource("bitrix24://recent")
    await client.call_tool("pin_chat", {"dialog_id": listed["chats"][0]["dialog_id"]})
    await client.call_tool("list_recent_chats", {"query": "Wrdlbrmpft"})
    return [chat["title"] for chat in listed["chats"]] + ["Wrdlbrmpft"]


async def test_debug_over_http_logs_nothing_of_an_answer(era: Era, tmp_path: Path) -> None:
    with command(tmp_path, "--log-level", "debug") as server:
        async with Client(f"{server.base}/mcp", mode=era) as client:
            private = await converse(client)
    assert " DEBUG " in server.written
    for text in private:
        assert text not in server.written


async def test_debug_over_stdio_logs_nothing_of_an_answer(era: Era, tmp_path: Path) -> None:
    log = tmp_path / "log"
    host = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "--demo", "--log-level", "debug"], env=environment()
    )
    with log.open("w") as errors:
        async with Client(stdio_client(host, errlog=errors), mode=era) as client:
            private = await converse(client)
    written = log.read_text()
    assert " DEBUG " in written
    for text in private:
        assert text not in written


async def test_only_listed_loggers_are_written_as_they_are() -> None:
    program = (
        "import logging; from bitrix24_chat_mcp import logs; logs.configure('debug')\n"
        "for name in ('sse_starlette.sse', 'mcp.server', 'tomorrows.library', 'bitrix24_chat_mcp.portal'):\n"
        "    for level in (10, 20, 30, 40):\n"
        "        logging.getLogger(name).log(level, 'words of %s', name)\n"
    )
    done = await anyio.run_process([sys.executable, "-c", program], stderr=PIPE, env=environment())
    lines = done.stderr.decode().splitlines()
    assert [line.split(maxsplit=4)[2:] for line in lines[:6]] == [
        [level, "-", f"{name}: <string>:4 (the text is withheld)"]
        for name in ("sse_starlette.sse", "mcp.server", "tomorrows.library")
        for level in ("WARNING", "ERROR")
    ]
    assert [line.rpartition(": ")[2] for line in lines[6:]] == ["words of bitrix24_chat_mcp.portal"] * 4


@pytest.mark.parametrize(
    "header", ["Host", "Origin", "X-Bitrix24-Webhook", "Mcp-Session-Id", "Last-Event-ID"]
)
def test_control_characters_of_a_header_never_reach_the_log(tmp_path: Path, header: str) -> None:
    planted = b"a\x85\x9b31m\xc2\x85\xe2\x80\xa8\xe2\x80\xae planted"
    plain = [(name.encode(), value.encode()) for name, value in ACCEPT.items()]
    named = [*plain, (header.encode(), planted)]
    with command(tmp_path, "--log-level", "debug") as server:
        for verb in ("GET", "POST", "DELETE"):
            httpx.request(verb, f"{server.base}/mcp", json=HELLO, headers=named)
        httpx.get(f"{server.base}/mcp%C2%85%0Aplanted", headers=named)
    assert all(character.isprintable() for character in server.written.replace("\n", ""))
    assert not [line for line in server.written.splitlines() if line.startswith("planted")]


def test_a_log_line_is_bounded_and_tells_of_an_exception_only_kind_and_place() -> None:
    with pytest.raises(ValueError, match="Anna") as caught:
        int("Anna: the password is on the door\n" * 100)
    raised = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord(MAY_LOG[0], 40, __file__, 1, "failed\x1b[31m\n %s", ("x" * 100_000,), raised)
    line = RedactingFormatter().format(record)
    assert len(line) <= 2000
    assert line.isprintable()
    record.args = ("",)
    line = RedactingFormatter().format(record)
    assert "Anna" not in line
    assert "(ValueError at test_logs.py:" in line


def test_the_audit_writes_to_the_logger_that_is_always_written(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level("INFO", AUDIT),
        audit.record("pin_chat", {}, Webhook("https://acme.example", "1", "code")),
    ):
        pass
    assert [record.name for record in caplog.records] == [AUDIT]
