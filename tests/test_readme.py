"""What the README and the other pages promise is so."""

import base64
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from bitrix24_chat_mcp.commands.hosts import HOSTS
from bitrix24_chat_mcp.portal.api.error_codes import ERROR_CODES
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from mcp import Client, StdioServerParameters
from support.commands import environment, run
from support.conversation import Conversation, facts, text

from release import readme

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "README.ru", "CONTRIBUTING", "SECURITY")),
    *(ROOT / "docs").glob("*.md"),
]
WEBHOOK = "https://PORTAL/rest/USER/CODE/"
BIN = str(Path(sys.executable).parent)


@pytest.mark.parametrize("file", readme.generated())
def test_generated_parts_are_up_to_date(file: Path) -> None:
    """After a change: make docs."""
    assert file.read_text(encoding="utf-8") == readme.generated()[file]


def part(name: str) -> str:
    found = re.search(
        rf"<!-- begin {name} -->\n(?:```\w+\n)?(.*?)(?:\n```)?\n<!-- end {name} -->", README, re.DOTALL
    )
    assert found, name
    return found[1]


def link(name: str) -> str:
    found = re.search(r"\((\S+)\)", part(name))
    assert found
    return found[1]


def claude_code() -> dict[str, Any]:
    words = shlex.split(part("claude-code"))
    assert words[:4] == ["claude", "mcp", "add", "bitrix24"]
    command, *args = words[words.index("--") + 1 :]
    env = dict(after.split("=", 1) for option, after in pairwise(words) if option == "-e")
    return {"command": command, "args": args, "env": env}


def cursor_link() -> dict[str, Any]:
    asked = parse_qs(urlsplit(link("cursor-link")).query)
    assert asked["name"] == ["bitrix24"]
    return json.loads(base64.b64decode(asked["config"][0]))


def vscode_link() -> dict[str, Any]:
    ((asked,),) = parse_qs(urlsplit(link("vscode-link")).query).values()
    scheme, _, document = asked.partition("?")
    assert scheme == "vscode:mcp/install"
    return json.loads(unquote(document))


def file_of(host: str, snippet: str) -> Callable[[], dict[str, Any]]:
    """Return a way to read a snippet as the host reads its file."""
    (key,) = {one.key for one in HOSTS if one.name == host}
    parse = tomllib.loads if host == "Codex" else json.loads
    return lambda: parse(part(snippet))[key]["bitrix24"]


SNIPPETS = {
    "claude-code": claude_code,
    "claude-code-project": file_of("Claude Code", "claude-code-project"),
    "cursor": file_of("Cursor", "cursor"),
    "cursor-link": cursor_link,
    "vscode": file_of("VS Code", "vscode"),
    "vscode-link": vscode_link,
    "codex": file_of("Codex", "codex"),
}


def filled_in(env: Mapping[str, str], webhook: str) -> dict[str, str]:
    """Put the user's webhook where the example stands, or what a host asks for or has in its environment."""
    examples = (WEBHOOK, "${input:webhook}", "${BITRIX24_WEBHOOK_URL}")
    assert env["BITRIX24_WEBHOOK_URL"] in examples
    return {**env, "BITRIX24_WEBHOOK_URL": webhook}


@pytest.mark.parametrize("snippet", SNIPPETS)
async def test_a_host_starts_the_server_exactly_as_the_snippet_says(snippet: str) -> None:
    entry = SNIPPETS[snippet]()
    portal = DemoPortal()
    async with serving(portal) as base:
        env = environment(PATH=f"{BIN}:/usr/bin:/bin", **filled_in(entry["env"], portal.webhook(base=base)))
        command = StdioServerParameters(command=entry["command"], args=entry.get("args", []), env=env)
        async with Client(command) as client:
            listed = await client.call_tool("list_recent_chats", {"limit": 5})
    assert text(listed).startswith("5 of ")
    assert (listed.structured_content is None) == ("BITRIX24_STRUCTURED" in entry["env"])


def test_claude_code_is_told_to_show_the_text_and_to_load_the_tools() -> None:
    project = file_of("Claude Code", "claude-code-project")()
    for entry in (claude_code(), project):
        assert entry["env"]["BITRIX24_STRUCTURED"] == "false"
    assert project["alwaysLoad"]


async def test_an_http_client_connects_exactly_as_the_snippets_say() -> None:
    portal = DemoPortal()
    address = json.loads(part("http"))["mcpServers"]["bitrix24"]["url"]
    assert address == f"http://{Settings().http.host}:{Settings().http.port}/mcp"
    async with serving(portal) as base:
        with served(part("http-server").replace(WEBHOOK, portal.webhook(base=base))) as address:
            async with Client(address) as client:
                listed = facts(await client.call_tool("list_recent_chats", {"limit": 5}))
    assert listed["shown"] == 5


@contextmanager
def served(line: str) -> Generator[str]:
    """Run a line of shell that serves, at a free port; yield the address that it tells."""
    env = environment(PATH=f"{BIN}:/usr/bin:/bin", BITRIX24_HTTP__PORT="0")
    shell = ["/bin/sh", "-c", f"exec env {line}"]
    with subprocess.Popen(shell, env=env, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        try:
            yield server.stderr.readline().split()[-1]
        finally:
            server.terminate()


def test_every_option_and_command_that_is_named_exists() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    help_ = "".join(run(*command, "--help").stdout for command in ([], ["portal"], ["login"]))
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(r"(docker|uv|claude|pytest) .*", "", text)))
    commands = set(re.findall(r"bitrix24-chat-mcp ([a-z]+)\b(?! docker)", text))
    assert options
    assert commands
    assert {option for option in options if option not in help_} == set()
    assert {command for command in commands if f"    {command} " not in help_} == set()


async def test_every_tool_and_prompt_is_named(converse: Conversation) -> None:
    async with converse() as client:
        named = [tool.name for tool in (await client.list_tools()).tools]
        named += [prompt.name for prompt in (await client.list_prompts()).prompts]
    assert [name for name in named if f"`{name}`" not in README] == []


def test_every_error_code_that_is_named_exists() -> None:
    source = "".join(file.read_text() for file in (ROOT / "server").rglob("*.py"))
    codes = re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)
    assert codes
    assert [code for code in codes if code not in ERROR_CODES and f'"{code}"' not in source] == []


def test_every_target_of_make_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for page in PAGES for name in re.findall(r"`?make ([a-z-]+)`?  ?", page.read_text())}
    assert {"demo", "test"} <= targets
    assert {name for name in targets if f"\n{name}:" not in makefile} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_the_repository_that_is_named_exists(page: Path) -> None:
    folders = "|".join(entry.name for entry in ROOT.iterdir() if entry.is_dir() and entry.name[0] != ".")
    paths = re.findall(rf"(?<![\w/.-])(?:{folders})/[\w./-]*[\w/]", page.read_text())
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_pytest_knows_the_options_that_a_contributor_is_told() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    options = [
        option for line in re.findall("pytest (.*)", page) for option in re.findall(r"(?<!\S)-[\w-]+", line)
    ]
    assert options == ["-k", "--snapshot-update"]
    command = [sys.executable, "-m", "pytest", *options[1:], "--collect-only", "-k", "no_such_test"]
    done = subprocess.run(
        [*command, "tests/test_readme.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stderr


def test_the_registry_finds_its_name() -> None:
    name = json.loads((ROOT / "server.json").read_text())["name"]
    assert f"<!-- mcp-name: {name} -->" in README


def test_administrators_are_told_every_method_that_is_called_and_no_other() -> None:
    page = (ROOT / "docs" / "administrators.md").read_text()
    told = set(
        re.findall(
            r"`((?:im\.)?[a-z.]+)`", page.partition("## What it calls")[2].partition("\n\nThe server")[0]
        )
    )
    source = "".join(file.read_text() for file in (ROOT / "server/bitrix24_chat_mcp/portal").rglob("*.py"))
    called = set(re.findall(r'"(im\.[a-z.]+|batch|profile|scope)"', source))
    assert told == called


def test_the_readme_s_figure_is_one_that_was_measured_and_kept() -> None:
    """An answer is a tenth of the portal's own."""
    figures = (ROOT / "BENCHMARKS.md").read_text()
    name = "50 chats, im.recent.get / list_recent_chats without arguments, structure"
    row = re.search(rf"^\| {re.escape(name)} \| ([0-9.]+) \| ≥ 13 \| kept", figures, re.MULTILINE)
    assert row, "make bench"
    assert "whose answers are a tenth of the portal's" in README.replace("\n", " ")
    assert float(row[1]) >= 10
