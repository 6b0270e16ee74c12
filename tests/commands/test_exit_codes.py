"""How every command ends: results on stdout, errors as one line on stderr, and a status that says why."""

import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from support.commands import COMMAND, environment, run, started

APPLICATION = {
    "BITRIX24_OAUTH__CLIENT_ID": "local.1",
    "BITRIX24_OAUTH__CLIENT_SECRET": "secret",
    "BITRIX24_OAUTH__PORTAL": "http://127.0.0.1:9",
    "BITRIX24_OAUTH__SERVER": "http://127.0.0.1:9",
    "BITRIX24_OAUTH__STORE": "file",
}
WRONG = {"BITRIX24_LOG_LEVEL": "loud"}


def command(*arguments: str, code: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a command whose user types a code, or nothing."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**settings),
        input=code,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def only_error(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line on stderr, behind the program's name."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("bitrix24-chat-mcp: ")
    return line.removeprefix("bitrix24-chat-mcp: ")


@pytest.mark.parametrize("arguments", [(), ("--transport", "http"), ("login",), ("logout",)])
def test_wrong_settings_end_every_command_with_exit_status_2_and_one_line_on_stderr(
    arguments: tuple[str, ...],
) -> None:
    done = command(*arguments, **WRONG)
    assert done.returncode == 2
    assert done.stdout == ""
    assert only_error(done).startswith("log_level (BITRIX24_LOG_LEVEL): ")


def test_a_taken_port_ends_the_portal_command_with_exit_status_2() -> None:
    with started("portal", "--port", "0", announcing=r"127\.0\.0\.1:(\d+)") as found:
        done = run("portal", "--port", found[1])
    assert done.returncode == 2
    assert done.stdout == ""
    assert only_error(done).startswith("--port: cannot listen")


@pytest.mark.parametrize(
    "arguments", [("bogus",), ("--port", "x"), ("check", "--bogus"), ("portal", "--seed", "x")]
)
def test_wrong_arguments_end_with_exit_status_2_and_a_last_line_like_any_error(
    arguments: tuple[str, ...],
) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("usage: ")
    assert done.stderr.splitlines()[-1].startswith("bitrix24-chat-mcp: ")


def test_a_login_that_fails_says_so_on_stderr_with_exit_status_1(tmp_path: Path) -> None:
    done = command("login", "--by-hand", code="code\n", **APPLICATION, XDG_DATA_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "CONNECTION_REFUSED" not in done.stdout
    assert only_error(done).startswith("CONNECTION_REFUSED: ")


def test_a_login_without_a_code_fails_with_exit_status_1() -> None:
    done = command("login", "--by-hand", **APPLICATION)
    assert done.returncode == 1
    assert "nobody signed in" not in done.stdout
    assert only_error(done).startswith("nobody signed in")


def test_an_unexpected_failure_is_one_line_without_traceback_and_exit_status_1(tmp_path: Path) -> None:
    (tmp_path / "bitrix24_demo_portal").mkdir()
    (tmp_path / "bitrix24_demo_portal" / "__init__.py").write_text("raise RuntimeError('Anna: 1234')")
    done = command("portal", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert only_error(done).startswith("failed unexpectedly (RuntimeError at __init__.py:1 < ")
    assert "Anna" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "announcement"),
    [
        (("--transport", "http", "--port", "0", "--demo"), "Serving on "),
        (("portal", "--port", "0"), "webhook_url = "),
        (("login", "--no-browser"), "/oauth/authorize/"),
    ],
)
def test_an_interrupt_ends_every_command_silently_with_exit_status_130(
    arguments: tuple[str, ...], announcement: str
) -> None:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(**APPLICATION),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdout
        announced = next(line for line in process.stdout if announcement in line)
        if address := re.search(r"http://127\.0\.0\.1:\d+(?=/mcp|/rest)", announced):
            httpx.get(address[0], timeout=30)  # it serves from now on
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().strip() == ""
    assert process.returncode == 130


def test_an_interrupt_ends_the_stdio_server_while_the_host_keeps_stdin_open() -> None:
    with subprocess.Popen(
        [*COMMAND, "--demo"],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert process.stdout.readline()  # it serves from now on
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == b""


def test_check_ends_silently_when_nobody_reads_its_result() -> None:
    process = subprocess.Popen(
        [*COMMAND, "check"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.parametrize("arguments", [("check",), ("logout",)])
def test_every_command_logs_in_the_same_form_and_at_the_level_of_the_settings(
    arguments: tuple[str, ...],
) -> None:
    settings = {"BITRIX24_LOG_LEVEL": "error", "BITRIX24_UNHEARD_OF": "1"}
    done = command(*arguments, **settings)
    logged = [line for line in done.stderr.splitlines() if "BITRIX24_UNHEARD_OF" in line]
    assert len(logged) == 1
    assert " WARNING - bitrix24_chat_mcp.settings.load: " in logged[0]
