"""What a terminal shows, on either stream, holds no escape codes, no forged lines and no secrets."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from support.commands import run

CODE = "s3cr3tc0de12345x"
WEBHOOK = f"https://acme.bitrix24.example/rest/1/{CODE}/"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\nok    forged: all is right\u202e\u2028"
ENV = {"BITRIX24_WEBHOOK_URL": WEBHOOK}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that somebody else has written, as the present folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_harmless(done: CompletedProcess[str]) -> str:
    said = done.stdout + done.stderr
    assert CODE not in said
    assert CODE.upper() not in said
    assert "Traceback" not in said
    for line in said.splitlines():
        assert line.isprintable(), ascii(line)
        assert len(line) <= 520
        assert not line.startswith("ok    forged")
    return said


def check(project: Path, entry: dict[str, Any], name: str = "bitrix24") -> str:
    (project / ".mcp.json").write_text(json.dumps({"mcpServers": {name: entry}}))
    return assert_harmless(run("check"))


@pytest.mark.parametrize(
    "entry",
    [
        {"command": f"bitrix24-chat-mcp{ESCAPES}", "env": ENV},
        {"command": "bitrix24-chat-mcp" + "x" * 100_000},
        {"command": "x" * 60 + WEBHOOK, "args": ["bitrix24-chat-mcp"]},
        {"command": WEBHOOK, "args": ["bitrix24-chat-mcp"]},
        {"command": CODE, "args": ["bitrix24-chat-mcp"], "env": ENV},
        {"command": f"bitrix24-chat-mcp {CODE.upper()}", "env": ENV},
        {"command": f"x{CODE}", "env": {**ENV, "bitrix24-chat-mcp": ""}},
        {"command": "bitrix24-chat-mcp\x00", "args": 5},
        {"command": "bitrix24-chat-mcp", "args": None, "env": {}},
        {"command": "bitrix24-chat-mcp", "env": {f"BITRIX24_{ESCAPES}": "x", "BITRIX24_X" + CODE: WEBHOOK}},
        {"command": "bitrix24-chat-mcp", "env": {f"{WEBHOOK}{ESCAPES}": 5}},
        {"command": "bitrix24-chat-mcp", "env": {"BITRIX24_LOG_LEVEL": ESCAPES + WEBHOOK}},
        {"url": f"http://localhost:1/{ESCAPES}"},
        {"url": "http://[", "command": "bitrix24-chat-mcp"},
    ],
    ids=range(14),
)
def test_check_prints_what_a_project_s_file_holds_without_escape_codes_and_secrets(
    project: Path, entry: dict[str, Any]
) -> None:
    check(project, entry)


def test_check_says_that_a_webhook_stands_in_command(project: Path) -> None:
    said = check(project, {"command": WEBHOOK, "args": ["bitrix24-chat-mcp"]})
    assert "a webhook stands in command" in said


def test_check_cleans_the_name_of_an_entry_and_bounds_it(project: Path) -> None:
    assert "bitrix24" in check(project, {"command": "bitrix24-chat-mcp"}, f"bitrix24{ESCAPES}{'y' * 9000}")


def test_check_lists_a_bounded_number_of_complaints(project: Path) -> None:
    said = check(project, {"command": "bitrix24-chat-mcp", "env": {f"BITRIX24_{n}": "" for n in range(500)}})
    assert said.count("FAIL") < 30
    assert " more" in said


def test_check_reads_a_file_nested_without_end(project: Path) -> None:
    (project / ".mcp.json").write_text("[" * 200_000)
    assert "FAIL" in assert_harmless(run("check"))


def test_check_cleans_the_path_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / f"a\x1b[31m\n{CODE}"
    folder.mkdir()
    monkeypatch.chdir(folder)
    check(folder, {"command": "bitrix24-chat-mcp", "env": ENV})


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (["check", "--config", f"/none/{ESCAPES}/{WEBHOOK}"], {}),
        (["--config", "/none/" + "x" * 3000], {}),
        ([WEBHOOK], {}),
        ([ESCAPES], {}),
        (["--log-level", WEBHOOK + ESCAPES], {}),
        (["check"], {"BITRIX24_WEBHOK_URL": WEBHOOK, "BITRIX24_WEBHOOK_URL": WEBHOOK}),
        (["check"], {f"BITRIX24_{ESCAPES}": "x"}),
        (["check"], {"BITRIX24_OAUTH__PORTAL": f"https://a.example/{ESCAPES}"}),
        (["login"], {"BITRIX24_OAUTH__PORTAL": f"https://a.example/{ESCAPES}"}),
        (["login", "--portal", f"https://a.example/\x1b[2J{CODE}"], {}),
        (["logout", "--portal", f"https://a.example/rest/1/{CODE}/"], {}),
    ],
    ids=range(11),
)
def test_settings_and_arguments_are_complained_of_without_escape_codes_and_secrets(
    project: Path, arguments: list[str], settings: dict[str, str]
) -> None:
    del project
    done = run(*arguments, **settings)
    assert done.returncode
    assert_harmless(done)


def test_an_unknown_key_of_the_settings_file_is_named_harmlessly(project: Path) -> None:
    file = project / "config.toml"
    file.write_text(f"{json.dumps('webhook' + ESCAPES[:9] + WEBHOOK + 'z' * 5000)} = 1")
    done = run("check", "--config", str(file))
    assert done.returncode == 1
    assert "unknown setting" in assert_harmless(done)
