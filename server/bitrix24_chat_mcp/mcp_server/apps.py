"""The MCP App: a page of chats that hosts may show under the answer of `list_recent_chats`.

The page is `chats.html`, one file without scripts, styles or images from elsewhere. It draws the answer that
the host hands to it, and calls tools through the host. A tool without an undo asks its user there as it does
in the conversation; then the page asks for the list anew. Clients without the extension
`io.modelcontextprotocol/ui` read the same answers as before.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from mcp.server.apps import APP_MIME_TYPE, Apps
from mcp.server.mcpserver.resources import FunctionResource
from mcp.server.mcpserver.tools import Tool

from bitrix24_chat_mcp.answers.records import ChatRow
from bitrix24_chat_mcp.portal.api.errors import PortalError

from .offer import offered
from .request_context import app_context

URI = "ui://bitrix24/chats"
LAST_MESSAGES = "io.github.bitrix24-chat-mcp/last-messages"
_SHOWN_UNDER = "list_recent_chats"
_CONFIG = '{"tools": [], "portal": ""}'
"""Where the page has the names of the tools, and the origin that links may lead to."""


def last_messages(rows: Iterable[ChatRow]) -> dict[str, dict[str, int]]:
    """Return the `_meta` that tells the page each chat's last message id, up to which it marks read."""
    return {LAST_MESSAGES: {row.dialog_id: row.last_id for row in rows if row.last_id}}


def linked(tools: Iterable[Tool]) -> list[Tool]:
    """Return the tools, with the page linked to the one whose answers it draws."""
    link = {"ui": {"resourceUri": URI}}
    return [tool.model_copy(update={"meta": link}) if tool.name == _SHOWN_UNDER else tool for tool in tools]


def extension(tools: Sequence[Tool]) -> Apps:
    """Return the extension that serves the page, with a button for each tool that the client is offered."""

    async def chats() -> str:
        return _page([tool.name for tool in offered(tools)], await _portal())

    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=URI,
            name="chats",
            title="Chats",
            description="The page that draws an answer of list_recent_chats.",
            mime_type=APP_MIME_TYPE,
            meta={"ui": {"prefersBorder": True}},
            fn=chats,
        )
    )
    return apps


async def _portal() -> str:
    """Return the origin that links may lead to; nothing where the caller has no portal yet."""
    try:
        return (await app_context().portal()).credentials.portal
    except PortalError:
        return ""


def _page(tools: list[str], portal: str) -> str:
    config = json.dumps({"tools": tools, "portal": portal}).replace("<", "\\u003c")
    return _template().replace(_CONFIG, config)


@cache
def _template() -> str:
    return Path(__file__).with_name("chats.html").read_text(encoding="utf-8")
