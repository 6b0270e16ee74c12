"""`bitrix24-chat-mcp check`: checks hosts, settings and portal, step by step, and prints what to change."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.answers.text import describe
from bitrix24_chat_mcp.answers.token_budget import estimate
from bitrix24_chat_mcp.mcp_server.definitions import digest
from bitrix24_chat_mcp.mcp_server.tool_list import build_tools
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.runtime.context import AppContext
from bitrix24_chat_mcp.settings.load import ConfigError, Settings, find_file

from .console import load_settings, one_line
from .host_checks import MOST_SHOWN, problems
from .hosts import HOSTS, ServerEntry, server_entries

MOST_PROBLEMS = 20
"""Problems that are printed of one entry."""


def run(options: dict[str, Any]) -> int:
    """Print the result of each check on stdout; return 0 if every one passed, else 1."""
    print("--   ", f"definitions: {asyncio.run(digest())}, which the changelog names, too")
    failed = _check_hosts() + _check_settings(options)
    if not failed:
        print("All is right.")
    return int(failed > 0)


def _check_settings(options: dict[str, Any]) -> int:
    try:
        settings = load_settings(options)
    except ConfigError as error:
        return _failed("settings", str(error))
    path = find_file(settings.config)
    _passed("settings", f"read from {path}" if path else "no file; environment and defaults")
    _passed("tools", ", ".join(_tools(settings)))
    return _check_shared_state(settings) or asyncio.run(_check_portal(settings))


def _check_shared_state(settings: Settings) -> int:
    """Ask the engine that several servers share, if there is one."""
    if not settings.shared.url:
        return 0
    from bitrix24_chat_mcp.runtime import shared_state  # noqa: PLC0415 - see portal_access

    try:
        version = asyncio.run(shared_state.check(settings.shared.url.get_secret_value()))
    except ConfigError as error:
        return _failed("shared state", str(error))
    _passed("shared state", f"the engine answers, version {version}")
    return 0


def _tools(settings: Settings) -> Iterator[str]:
    """Name the tools that are offered, and what each costs a model."""
    for tool in build_tools(settings):
        seen = {"name": tool.name, "description": tool.description, "inputSchema": tool.parameters}
        asks = " (asks first)" if tool.resolved_params and settings.confirm == "ask" else ""
        yield f"{tool.name}{asks} about {estimate(json.dumps(seen, separators=(',', ':')))} tokens"


async def _check_portal(settings: Settings) -> int:
    async with AppContext(settings).running() as context:
        try:
            portal = await context.portal()
        except PortalError as error:
            return _failed("address", describe(error))
        _passed("address", f"{portal.credentials.portal}, well formed")
        for step, check in _STEPS.items():
            try:
                _passed(step, await check(portal))
            except PortalError as error:
                return _failed(step, describe(error))
    return 0


def _check_hosts() -> int:
    """Check this server's entries in the hosts' files; return how many have problems."""
    entries = list(server_entries())
    if not entries:
        print(f"--    hosts: no entry in the files of {', '.join(host.name for host in HOSTS)}")
    return sum(map(_check_entry, entries))


def _check_entry(entry: ServerEntry) -> int:
    where = f"{sanitize(entry.name, MOST_SHOWN)!r} in {entry.file}" if entry.name else str(entry.file)
    found = problems(entry)
    if not found:
        _passed(entry.host.name, where)
    for problem in found[:MOST_PROBLEMS]:
        _failed(entry.host.name, f"{where}: {problem}")
    if len(found) > MOST_PROBLEMS:
        _failed(entry.host.name, f"{where}: and {len(found) - MOST_PROBLEMS} more")
    return int(bool(found))


async def _reach(portal: Portal) -> str:
    await portal.answers()
    return "a Bitrix24 portal answers"


async def _credentials(portal: Portal) -> str:
    return f"accepted, they are {sanitize(await portal.owner())}'s"


async def _scope(portal: Portal) -> str:
    await portal.demand_scope("im")
    return "granted"


async def _chats(portal: Portal) -> str:
    return f"{len((await portal.recent()).chats)} recent chats"


_STEPS: dict[str, Callable[[Portal], Awaitable[str]]] = {
    "portal": _reach,
    "credentials": _credentials,
    "scope im": _scope,
    "list": _chats,
}


def _passed(step: str, result: str) -> None:
    print("ok   ", one_line(f"{step}: {result}"))


def _failed(step: str, problem: str) -> int:
    print("FAIL ", one_line(f"{step}: {problem}"))
    return 1
