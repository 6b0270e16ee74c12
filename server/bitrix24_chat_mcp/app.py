"""Builds the server: registers tools and prompts, and stands between them and the protocol."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import CacheHint
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import ValidationError

from . import __version__, tools, wording
from . import arguments as bad_arguments
from .answers.failure import describe
from .config import Settings
from .portal.carrier import Carrier
from .portal.errors import PortalError
from .schema import tidy
from .service import Service, open_entrance, open_service

_logger = logging.getLogger(__name__)
_STABLE = CacheHint(ttl_ms=3_600_000, scope="public")


def build_server(settings: Settings, carrier: Carrier | None = None) -> "ChatServer":
    """Return a server that is ready to serve, and has touched nothing yet.

    `carrier` takes the place of the one to the network.
    """
    entrance = open_entrance(settings, carrier)

    @asynccontextmanager
    async def lifespan(_: MCPServer[Service]) -> AsyncGenerator[Service]:
        async with open_service(settings, entrance) as service:
            yield service

    server = ChatServer(
        "bitrix24-chat-mcp",
        title="Bitrix24 chats",
        version=__version__,
        instructions=wording.read("instructions"),
        tools=_tools(read_only=settings.read_only),
        lifespan=lifespan,
        log_level="WARNING",
        cache_hints={"tools/list": _STABLE, "prompts/list": _STABLE},
    )
    for name in ("tidy_pins", "triage_inbox"):
        server.add_prompt(_prompt(name))
    return server


class ChatServer(MCPServer[Service]):
    """An MCPServer whose failures are answered in sentences, as tool errors."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Service, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; whatever fails, the model reads what happened and what to do next."""
        takes = {tool.name: list(tool.input_schema["properties"]) for tool in await self.list_tools()}
        if name not in takes:
            return _failed(f"UNKNOWN_TOOL: there is no tool {name[:40]!r} here, only {', '.join(takes)}.")
        if complaint := bad_arguments.unknown(name, arguments, takes[name]):
            return _failed(complaint)
        try:
            return await super().call_tool(name, bad_arguments.given(arguments), context)
        except ToolError as error:
            label = context.request_context.lifespan_context.label if context else ""
            return _failed(_explain(name, error.__cause__) + (f" [{label}]" if label else ""))


def _explain(tool: str, cause: BaseException | None) -> str:
    if isinstance(cause, PortalError):
        _logger.info("%s: %s", tool, cause.code)
        return describe(cause)
    if isinstance(cause, ValidationError):
        return bad_arguments.wrong(cause)
    _logger.error("%s failed unexpectedly", tool, exc_info=cause)
    return (
        f"INTERNAL_ERROR: this server failed on {tool}; it goes on, and has logged why. Try once more; if it "
        "persists, report it to the people who maintain this server."
    )


def _failed(said: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)


def _tool(function: Callable[..., Any], title: str, hints: ToolAnnotations) -> Tool:
    name = function.__name__
    tool = Tool.from_function(
        function, title=title, description=wording.read(f"tools/{name}"), annotations=hints
    )
    tool.parameters = {**tidy(tool.parameters), "additionalProperties": False}
    tool.fn_metadata.output_schema = tidy(tool.fn_metadata.output_schema or {})
    return tool


def _tools(*, read_only: bool) -> list[Tool]:
    """Return the tools in the order in which a model reads them; it never changes."""
    reading = _tool(
        tools.list_recent_chats,
        "List recent chats",
        ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
    pinning = _tool(
        tools.pin_chat,
        "Pin or unpin a chat",
        ToolAnnotations(
            read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )
    return [reading] if read_only else [reading, pinning]


def _prompt(name: str) -> Prompt:
    head, text = wording.head(name), wording.read(name)
    return Prompt.from_function(lambda: text, name=name, title=head["title"], description=head["description"])
