"""Writes what is generated into the README and the other files that carry it: `make docs`.

A part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bitrix24_chat_mcp import __version__
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings, known_names, variable
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from mcp_types import TextContent

from release import plugins
from release.snippets import snippets

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "README.ru.md", ROOT / "docs" / "settings.md")
MANIFESTS = (ROOT / "server.json", ROOT / "release" / "manifest.json")
NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
_PART = re.compile(r"(<!-- begin (\S+) -->)\n.*?(<!-- end \2 -->)", re.DOTALL)
_VERSION = re.compile(r'("version": ")[^"]*(")')


def main() -> None:
    """Bring every generated file up to date."""
    for file, text in generated().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def generated() -> dict[Path, str]:
    """Return each file with generated parts as it should be."""
    parts = {**snippets(), "answer": _answer(), "settings": _settings()}
    filled = {file: _filled(file.read_text(encoding="utf-8"), parts) for file in PAGES}
    versions = {file: _VERSION.sub(rf"\g<1>{__version__}\2", file.read_text()) for file in MANIFESTS}
    return filled | versions | plugins.files()


def _filled(text: str, parts: Mapping[str, str]) -> str:
    return _PART.sub(lambda part: f"{part[1]}\n{parts[part[2]]}\n{part[3]}", text)


def _answer() -> str:
    """Return what an assistant reads of the demo portal at a moment that stands still."""
    return f"```\n{asyncio.run(_ask())}\n```"


async def _ask() -> str:
    portal = DemoPortal(clock=NOW.timestamp)
    settings = Settings.model_validate({"webhook_url": portal.webhook(), "demo": False})
    async with Client(build_server(settings, HttpClient(transport=in_process(portal)))) as client:
        answer = await client.call_tool("list_recent_chats", {"limit": 5})
    return "\n".join(block.text for block in answer.content if isinstance(block, TextContent))


def _settings() -> str:
    rows = (_row(name, field) for name, field in known_names().items() if name != "config")
    return "\n".join(["| Key | Default | What it does | In the environment |", "|---|---|---|---|", *rows])


def _row(name: str, field: "FieldInfo") -> str:
    default = "" if field.default is None else f"`{json.dumps(field.default, default=sorted)}`"
    return f"| `{name}` | {default} | {field.description} | `{variable(name)}` |"


if __name__ == "__main__":
    main()
