"""The prompts: a text of prompts/ with the user's present chats in it, so that one command does the job."""

from string import Template
from typing import TYPE_CHECKING, Annotated, get_args

from mcp.server.mcpserver.prompts import Prompt
from mcp_types import Icon
from pydantic import Field

from bitrix24_chat_mcp.answers import text
from bitrix24_chat_mcp.answers.failure import describe
from bitrix24_chat_mcp.answers.records import Kind
from bitrix24_chat_mcp.chats import chat_list
from bitrix24_chat_mcp.chats.query import ChatQuery
from bitrix24_chat_mcp.portal.api.errors import PortalError

from . import icons, request_context, texts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

COMPLETIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("triage_inbox", "kinds"): get_args(Kind),
    ("tidy_pins", "stale_days"): ("7", "14", "30", "60"),
}
"""By prompt and argument, the values that completion offers."""


async def triage_inbox(
    kinds: Annotated[str, Field(description="only these kinds of chats, such as: person, openline")] = "",
) -> str:
    """Tell what needs the user, in which order."""
    wanted = tuple(kind for kind in get_args(Kind) if kind in kinds.lower().replace(",", " ").split())
    return await _filled("triage_inbox", chats=ChatQuery(show="attention", kinds=wanted))


async def tidy_pins(
    stale_days: Annotated[str, Field(description="days without a message that make a pin stale (14)")] = "14",
) -> str:
    """Tell which pins are stale, and which chats deserve one."""
    days = stale_days if stale_days.isdecimal() else "14"
    return await _filled(
        "tidy_pins", {"stale_days": days}, pinned=ChatQuery(show="pinned"), chats=ChatQuery()
    )


def prompts() -> list[Prompt]:
    """Return the prompts in a stable order."""
    return [
        _prompt("tidy_pins", tidy_pins, icons.PIN),
        _prompt("triage_inbox", triage_inbox, icons.CHATS),
    ]


def _prompt(name: str, ask: "Callable[..., Awaitable[str]]", icon: list[Icon]) -> Prompt:
    head = texts.front_matter(name)
    return Prompt.from_function(ask, title=head["title"], description=head["description"], icons=icon)


async def _filled(name: str, values: dict[str, str] | None = None, **queries: ChatQuery) -> str:
    """Fill in a text; where the portal fails, the error's sentence stands in the place of the chats."""
    lists = {place: await _listed(query) for place, query in queries.items()}
    return Template(texts.read(name)).safe_substitute(values or {}, **lists)


async def _listed(query: ChatQuery) -> str:
    try:
        return text.chat_list(await chat_list.list_chats(request_context.app_context(), query))
    except PortalError as error:
        return describe(error)
