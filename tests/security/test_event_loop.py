"""Nothing that one caller sends holds up the others: a cheap call is answered before a costly one.

Both go out together, the costly one first. Were it worked off in the event loop, it would be done when the
cheap one is begun.
"""

from collections.abc import Awaitable, Callable

import anyio
import pytest
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from mcp_types import ResourceTemplateReference
from support.conversation import Era, connected, raw, text

CHAT = ResourceTemplateReference(uri="bitrix24://chat/{dialog_id}")
WORDS = ("а б в г д е " * 40)[:200]
pytestmark = pytest.mark.parametrize("era", ["auto", "legacy"])


async def _query(client: Client) -> None:
    result = await client.call_tool("list_recent_chats", {"query": WORDS})
    assert not result.is_error, text(result)


async def _completion(client: Client) -> None:
    await client.complete(CHAT, {"name": "dialog_id", "value": WORDS})


async def _long_texts(client: Client) -> None:
    result = await client.call_tool("list_recent_chats", {"detail": "full", "limit": 200})
    assert not result.is_error, text(result)


@pytest.mark.parametrize("costly", [_query, _completion])
async def test_fuzzy_query_over_many_chats_does_not_block_the_event_loop(
    era: Era, costly: Callable[[Client], Awaitable[None]]
) -> None:
    async with connected(DemoPortal(chats=1500), era) as client:
        assert await _order(client, costly) == ["cheap", "costly"]


@pytest.mark.parametrize("letter", ["\u200d", "a\u0301", "[b]", "password: ", "слово"])
async def test_cleaning_long_hostile_titles_does_not_block_the_event_loop(era: Era, letter: str) -> None:
    async with connected(await _portal_of(letter * 5000), era) as client:
        assert await _order(client, _long_texts) == ["cheap", "costly"]


async def test_completion_of_a_long_value_is_empty(era: Era) -> None:
    async with connected(DemoPortal(chats=50), era) as client:
        longest = await client.complete(CHAT, {"name": "dialog_id", "value": "северный".ljust(200)})
        longer = await client.complete(CHAT, {"name": "dialog_id", "value": "северный".ljust(60_000)})
    assert longest.completion.values == ["chat1201"]
    assert longer.completion.values == []


@pytest.mark.parametrize("kinds", [["x"] * 100_000, "x " * 100_000], ids=["list", "text"])
async def test_a_hundred_thousand_wrong_kinds_are_one_complaint(era: Era, kinds: object) -> None:
    async with connected(DemoPortal(chats=50), era) as client:
        result = await client.call_tool("list_recent_chats", {"kinds": kinds})
    assert result.is_error
    assert text(result).startswith("INVALID_ARGUMENT: kinds must be some of person, bot, ")
    assert len(text(result)) < 300


async def _order(client: Client, costly: Callable[[Client], Awaitable[None]]) -> list[str]:
    """Return which of two calls is answered first; the list that both need is kept already."""
    finished: list[str] = []
    await client.call_tool("list_recent_chats", {"limit": 1, "detail": "brief"})

    async def call(name: str, made: Callable[[Client], Awaitable[None]]) -> None:
        await made(client)
        finished.append(name)

    async with anyio.create_task_group() as calls:
        calls.start_soon(call, "costly", costly)
        calls.start_soon(call, "cheap", _cheap)
    return finished


async def _cheap(client: Client) -> None:
    result = await client.call_tool("nothing", {})
    assert text(result).startswith("UNKNOWN_TOOL")


async def _portal_of(title: str) -> DemoPortal:
    """Return a portal whose chats have such titles and messages."""
    portal = DemoPortal(chats=100)
    group = next(item for item in await raw(portal) if item["chat"].get("type") == "chat")
    said = {**group["message"], "text": title}
    portal.override(
        [{**group, "id": f"chat{1 + number}", "title": title, "message": said} for number in range(100)]
    )
    return portal
