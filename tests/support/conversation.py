"""Words that the tests share: eras, conversations, and what a model reads of a result."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import httpx
import looptime
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp_types import CallToolResult, TextContent

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
"""When the demo portal's clock stands still."""

VIRTUAL_TIME = ("asyncio", {"loop_factory": looptime.make_event_loop_class(asyncio.SelectorEventLoop)})
"""An `anyio_backend` in whose event loop waiting takes no time."""

Era = Literal["auto", "legacy"]
Conversation = Callable[..., AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def connected(
    portal: DemoPortal, era: Era = "auto", asked: ElicitationFnT | None = None, **settings: object
) -> AsyncGenerator[Client]:
    """Connect to a server of the given settings, whose network is the demo portal; `asked` is its user."""
    webhook = {"webhook_url": portal.webhook()} if "webhook_url" not in settings else {}
    server = build_server(
        Settings.model_validate({**webhook, **settings}), HttpClient(transport=in_process(portal))
    )
    async with Client(server, mode=era, elicitation_callback=asked) as client:
        yield client


@asynccontextmanager
async def connected_by_sockets(
    portal: DemoPortal, era: Era = "auto", asked: ElicitationFnT | None = None, **settings: object
) -> AsyncGenerator[Client]:
    """Do what `connected` does with the portal on a real socket, which it can cut off."""
    async with serving(portal) as base:
        webhook = base + urlsplit(portal.webhook()).path
        server = build_server(Settings.model_validate({"webhook_url": webhook, **settings}))
        async with Client(server, mode=era, elicitation_callback=asked) as client:
            yield client


async def raw(portal: DemoPortal, method: str = "im.recent.get") -> Any:
    """Return what the portal answers to a call without parameters."""
    async with httpx.AsyncClient(transport=in_process(portal)()) as client:
        return (await client.post(portal.webhook() + method)).json()["result"]


def text(result: CallToolResult) -> str:
    """Return what a model reads."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def facts(result: CallToolResult) -> dict[str, Any]:
    """Return what a program reads."""
    structure: object = result.structured_content
    assert isinstance(structure, dict), text(result)
    return cast("dict[str, Any]", structure)
