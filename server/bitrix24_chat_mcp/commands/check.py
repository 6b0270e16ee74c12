"""`bitrix24-chat-mcp check`: says, step by step, whether the settings are right, and what to mend."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bitrix24_chat_mcp.answers.failure import describe
from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.answers.terminal import line
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.runtime.context import app_lifespan
from bitrix24_chat_mcp.runtime.portal_access import open_portal_access
from bitrix24_chat_mcp.settings.load import ConfigError, Settings, find_file, load

from .host_checks import MOST_SHOWN, problems
from .hosts import HOSTS, ServerEntry, server_entries

MOST_COMPLAINTS = 20
"""Lines about one entry."""


def run(options: dict[str, Any]) -> int:
    """Check hosts, settings and portal, and print what was found; return 0 if all is right, else 1."""
    failed = _check_hosts() + _check_settings(options)
    if not failed:
        print("All is right.")
    return int(failed > 0)


def _check_settings(options: dict[str, Any]) -> int:
    try:
        settings = load(**options)
    except ConfigError as error:
        return _failed("settings", str(error))
    path = find_file(settings.config)
    _passed("settings", f"read from {path}" if path else "no file; environment and defaults")
    return _check_shared_state(settings) or asyncio.run(_check_portal(settings))


def _check_shared_state(settings: Settings) -> int:
    """Ask the engine that servers share, if there is one."""
    if not settings.shared.url:
        return 0
    from bitrix24_chat_mcp.runtime import shared_state  # noqa: PLC0415 - see portal_access

    try:
        version = asyncio.run(shared_state.check(settings.shared.url.get_secret_value()))
    except ConfigError as error:
        return _failed("shared state", str(error))
    _passed("shared state", f"the engine answers, version {version}")
    return 0


async def _check_portal(settings: Settings) -> int:
    async with app_lifespan(settings, open_portal_access(settings)) as service:
        try:
            portal = await service.portal()
        except PortalError as error:
            return _failed("address", describe(error))
        _passed("address", f"{portal.credentials.portal}, well formed")
        for step, ask in _STEPS.items():
            try:
                _passed(step, await ask(portal))
            except PortalError as error:
                return _failed(step, describe(error))
    return 0


def _check_hosts() -> int:
    """Look at this server's entries in the hosts' files; return in how many something is wrong."""
    found = list(server_entries())
    if not found:
        print(f"--    hosts: no entry in the files of {', '.join(host.name for host in HOSTS)}")
    return sum(map(_check_entry, found))


def _check_entry(entry: ServerEntry) -> int:
    where = f"{sanitize(entry.name, MOST_SHOWN)!r} in {entry.file}" if entry.name else str(entry.file)
    wrong = problems(entry)
    if not wrong:
        _passed(entry.host.name, where)
    for said in wrong[:MOST_COMPLAINTS]:
        _failed(entry.host.name, f"{where}: {said}")
    if len(wrong) > MOST_COMPLAINTS:
        _failed(entry.host.name, f"{where}: and {len(wrong) - MOST_COMPLAINTS} more")
    return int(bool(wrong))


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


def _passed(step: str, said: str) -> None:
    print("ok   ", line(f"{step}: {said}"))


def _failed(step: str, said: str) -> int:
    print("FAIL ", line(f"{step}: {said}"))
    return 1
