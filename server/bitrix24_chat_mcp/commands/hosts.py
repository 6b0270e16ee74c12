"""The hosts that start this server: in which file each lists its servers, and under which key."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import platformdirs

from bitrix24_chat_mcp.portal.api.credentials import is_loopback
from bitrix24_chat_mcp.portal.api.known_secrets import known


@dataclass(frozen=True, slots=True)
class Host:
    """A host with its files: the user's own, and one that a project shares with everyone who works on it."""

    name: str
    key: str
    user_file: str
    project_file: str = ""

    def files(self) -> Iterator[tuple[Path, bool]]:
        """Return each file that exists, and whether a project shares it."""
        config = platformdirs.user_config_path(roaming=True)
        own = Path(self.user_file.format(home=Path.home(), config=config))
        shared = Path.cwd() / self.project_file
        yield from ((path, path == shared) for path in (own, shared) if path.is_file())


HOSTS = (
    Host("Claude Code", "mcpServers", "{home}/.claude.json", ".mcp.json"),
    Host("Claude Desktop", "mcpServers", "{config}/Claude/claude_desktop_config.json"),
    Host("Cursor", "mcpServers", "{home}/.cursor/mcp.json", ".cursor/mcp.json"),
    Host("VS Code", "servers", "{config}/Code/User/mcp.json", ".vscode/mcp.json"),
    Host("Codex", "mcp_servers", "{home}/.codex/config.toml"),
)
_KEYS = {host.key for host in HOSTS}
_CODE = re.compile(r"/rest/[^/\s]+/([^/\s\"]+)")
_SECRET_SETTING = re.compile(r"\w+_(?:SECRET|TOKEN|KEY)")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class ServerEntry:
    """A host's entry for this server, as written in its file.

    `misplaced` is the problem with the file or with the place of the entry in it, if there is one.
    """

    host: Host
    file: Path
    name: str
    written: Mapping[str, Any]
    shared: bool = False
    misplaced: str = ""

    def __post_init__(self) -> None:
        settings = _table(self.written, "env").items()
        secrets = (str(value) for name, value in settings if _SECRET_SETTING.fullmatch(name))
        known.register(self, *secrets, *_CODE.findall(json.dumps(self.written, default=str)))


def server_entries() -> Iterator[ServerEntry]:
    """Return this server's entries in the files of all hosts, also those of the current folder's project."""
    for host in HOSTS:
        for file, shared in host.files():
            try:
                document = _read(file)
            except (OSError, ValueError, RecursionError) as error:
                yield ServerEntry(host, file, "", {}, misplaced=_unreadable(error))
                continue
            for name, written, misplaced in _entries(document, host):
                yield ServerEntry(host, file, name, written, shared, misplaced)


def _read(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    document: object = tomllib.loads(text) if file.suffix == ".toml" else json.loads(_without_comments(text))
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004 - it is the file that is wrong
    return cast("dict[str, Any]", document)


_NOT_JSON = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)


def _without_comments(text: str) -> str:
    """Remove comments and trailing commas, which VS Code and Cursor allow in their JSON."""
    return _NOT_JSON.sub(lambda match: match[1] or "", text)


def _unreadable(error: Exception) -> str:
    """Describe why a file cannot be read, without quoting the file."""
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror})"
    if isinstance(error, json.JSONDecodeError):
        return f"is no valid JSON: {error.msg} in line {error.lineno}, so the host ignores the whole file"
    return "is not valid, so the host ignores the whole file"


def _entries(document: Mapping[str, Any], host: Host) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    of_project = _table(_table(document, "projects"), str(Path.cwd()))  # Claude Code's, for one project only
    for table in (document, of_project):
        for key in _KEYS:
            misplaced = "" if key == host.key else f"stands under {key!r}, but {host.name} reads {host.key!r}"
            for name, written in _table(table, key).items():
                if _is_ours(name, written):
                    yield name, written, misplaced


def _table(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    table: object = document.get(key)
    return cast("dict[str, Any]", table) if isinstance(table, dict) else {}


def _is_ours(name: str, written: object) -> bool:
    if not isinstance(written, dict):
        return False
    entry = cast("dict[str, Any]", written)
    if "url" in entry:
        return name.startswith("bitrix24") and is_loopback(_host(str(entry["url"])))
    return "bitrix24-chat-mcp" in json.dumps([name, entry], default=str).replace("_", "-")


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
