"""`check` finds this server in the files of the hosts, and says what is wrong with each entry."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from bitrix24_chat_mcp.commands.host_checks import problems
from bitrix24_chat_mcp.commands.hosts import server_entries
from support.commands import run

CODE = "s3cr3tc0de12345x"
WEBHOOK = f"https://acme.bitrix24.example/rest/1/{CODE}/"
GOOD = {
    "command": sys.executable,
    "args": ["-m", "bitrix24_chat_mcp"],
    "env": {"BITRIX24_WEBHOOK_URL": WEBHOOK},
}
CURSOR = ".cursor/mcp.json"
OWN_FILES = {
    "Claude Code": (".claude.json", "mcpServers"),
    "Claude Desktop": (".config/Claude/claude_desktop_config.json", "mcpServers"),
    "Cursor": (CURSOR, "mcpServers"),
    "VS Code": (".config/Code/User/mcp.json", "servers"),
}
SHARED_FILES = {
    "Claude Code": (".mcp.json", "mcpServers"),
    "Cursor": (CURSOR, "mcpServers"),
    "VS Code": (".vscode/mcp.json", "servers"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, with a project in it as the present folder."""
    home, project = tmp_path / "home", tmp_path / "project"
    for folder in (home, project):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(project)
    return home


def write(file: Path, text: str | dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text if isinstance(text, str) else json.dumps(text))


def found() -> list[tuple[str, str, list[str]]]:
    return [(entry.host.name, entry.name, problems(entry)) for entry in server_entries()]


def said_of(home: Path, entry: dict[str, Any]) -> list[str]:
    """Return the complaints about an entry in Cursor's own file; none may hold the secret."""
    write(home / CURSOR, {"mcpServers": {"bitrix24": entry}})
    ((_, _, said),) = found()
    assert CODE not in str(said)
    return said


@pytest.mark.parametrize("host", OWN_FILES)
def test_a_good_entry_is_found_in_each_host_s_own_file(home: Path, host: str) -> None:
    file, key = OWN_FILES[host]
    write(home / file, {key: {"bitrix24": GOOD, "other": {"command": "nonsense"}}})
    assert found() == [(host, "bitrix24", [])]


def test_a_good_entry_is_found_in_codex_s_file(home: Path) -> None:
    env = f'env = {{ BITRIX24_WEBHOOK_URL = "{WEBHOOK}" }}'
    args = 'args = ["-m", "bitrix24_chat_mcp"]'
    write(
        home / ".codex/config.toml", f'[mcp_servers.bitrix24]\ncommand = "{sys.executable}"\n{args}\n{env}\n'
    )
    assert found() == [("Codex", "bitrix24", [])]


@pytest.mark.parametrize("host", SHARED_FILES)
def test_a_shared_file_may_name_the_webhook_but_not_hold_it(host: str) -> None:
    file, key = SHARED_FILES[host]
    write(
        Path(file), {key: {"bitrix24": {**GOOD, "env": {"BITRIX24_WEBHOOK_URL": "${BITRIX24_WEBHOOK_URL}"}}}}
    )
    assert found() == [(host, "bitrix24", [])]
    write(Path(file), {key: {"bitrix24": GOOD}})
    ((_, _, (said,)),) = found()
    assert said.startswith("a webhook stands in a file that a project shares")


def test_an_entry_of_one_project_in_claude_code_s_file_is_found_there_only(home: Path) -> None:
    projects = {str(Path.cwd()): {"mcpServers": {"b24": GOOD}}, "/elsewhere": {"mcpServers": {"other": GOOD}}}
    write(home / ".claude.json", {"projects": projects})
    assert found() == [("Claude Code", "b24", [])]


def test_comments_and_trailing_commas_are_as_the_hosts_read_them(home: Path) -> None:
    text = json.dumps({"servers": {"bitrix24": GOOD}})
    write(home / ".config/Code/User/mcp.json", f"// mine\n{text[:-1]},}} /* end */")
    assert found() == [("VS Code", "bitrix24", [])]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"command": "bitrix24-chat-mcp"}, "the command 'bitrix24-chat-mcp' is not on the PATH"),
        ({"command": None}, "has no command"),
        ({"command": "python -m bitrix24_chat_mcp"}, "the command holds its arguments"),
        ({"args": "-m bitrix24_chat_mcp"}, "args must be a list of strings"),
        ({"args": ["-m", "bitrix24_chat_mcp", WEBHOOK]}, "a webhook stands in args"),
        ({"args": ["-m", "bitrix24_chat_mcp", "--transport", "http"]}, "args ask for HTTP"),
        ({"env": {"BITRIX24_WEBHOK_URL": WEBHOOK}}, "did you mean BITRIX24_WEBHOOK_URL?"),
        (
            {"env": {"BITRIX24_WEBHOOK_URL": f"acme.bitrix24.example/{CODE}"}},
            "env: BITRIX24_WEBHOOK_URL: it ",
        ),
        ({"env": {"BITRIX24_WEBHOOK_URL": "https://PORTAL/rest/USER/CODE/"}}, "is still the example"),
        ({"env": {"BITRIX24_DEMO": True}}, "env: BITRIX24_DEMO must be a string"),
        (
            {"env": {"BITRIX24_DEMO": "1", "BITRIX24_LOG_LEVEL": "loud"}},
            "env: BITRIX24_LOG_LEVEL: Input should be",
        ),
        ({"env": ["BITRIX24_DEMO=1"]}, "env must be an object"),
        ({"env": {}}, "no portal is named"),
        ({"disabled": True}, "is switched off"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(home: Path, change: dict[str, Any], complaint: str) -> None:
    assert any(complaint in said for said in said_of(home, {**GOOD, **change}))


def test_a_portal_may_be_named_elsewhere(home: Path) -> None:
    entry = {**GOOD, "env": {}}
    assert said_of(home, {**entry, "args": [*GOOD["args"], "--demo"]}) == []
    write(home / ".config/bitrix24-chat-mcp/config.toml", "demo = true")
    assert said_of(home, entry) == []


def test_an_address_is_judged_as_the_host_reads_it(home: Path) -> None:
    assert said_of(home, {"url": "http://127.0.0.1:8000/mcp"}) == []
    assert said_of(home, {"url": "http://127.0.0.1:8000/"}) == ["the url must end in /mcp"]
    write(home / CURSOR, {})
    write(home / ".claude.json", {"mcpServers": {"bitrix24": {"url": "http://localhost:8000/mcp"}}})
    assert found() == [("Claude Code", "bitrix24", ['needs "type": "http" beside the url'])]


def test_an_entry_under_another_host_s_key_is_never_read(home: Path) -> None:
    write(home / ".config/Code/User/mcp.json", {"mcpServers": {"bitrix24": GOOD}})
    assert found() == [("VS Code", "bitrix24", ["stands under 'mcpServers', but VS Code reads 'servers'"])]


@pytest.mark.parametrize("text", [f'{{"mcpServers": {{"bitrix24": "{WEBHOOK}"', "[]", f'"{WEBHOOK}"'])
def test_a_broken_file_is_named_without_what_stands_in_it(home: Path, text: str) -> None:
    write(home / CURSOR, text)
    ((host, _, (said,)),) = found()
    assert host == "Cursor"
    assert "so the host ignores the whole file" in said
    assert CODE not in said


def test_check_tells_all_that_on_its_own_lines(home: Path) -> None:
    write(home / CURSOR, {"mcpServers": {"bitrix24": {**GOOD, "env": {"BITRIX24_WEBHOK_URL": WEBHOOK}}}})
    write(home / ".claude.json", {"mcpServers": {"bitrix24": GOOD}})
    checked = run("check", HOME=str(home))
    assert checked.returncode == 1
    assert f"ok    Claude Code: 'bitrix24' in {home / '.claude.json'}" in checked.stdout
    assert (
        f"FAIL  Cursor: 'bitrix24' in {home / CURSOR}: env: unknown variable BITRIX24_WEBHOK_URL"
        in checked.stdout
    )
    assert CODE not in checked.stdout + checked.stderr
