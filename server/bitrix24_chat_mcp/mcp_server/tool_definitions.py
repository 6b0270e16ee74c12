"""The tools as hosts see them: names, titles, descriptions, hints, icons and simple schemas."""

from collections.abc import Callable
from typing import Any, NamedTuple

from mcp.server.mcpserver.tools import Tool
from mcp_types import Icon, ToolAnnotations

from bitrix24_chat_mcp.settings.load import Settings

from . import icons, texts, tools
from .json_schema import simplify


class ToolDefinition(NamedTuple):
    """A row of the table of tools; the function's name is the tool's, and that of its text in prompts/."""

    function: Callable[..., Any]
    title: str
    icon: list[Icon]
    hints: ToolAnnotations
    asks: bool = False
    """The user is asked before it acts."""


ASKED_BY_HOST = "anthropic/requiresUserInteraction"
"""In a tool's metadata: Claude Code asks its user before each call."""
READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
WRITES = READS.model_copy(update={"read_only_hint": False})

TOOLS = (
    ToolDefinition(tools.list_recent_chats, "List recent chats", icons.CHATS, READS),
    ToolDefinition(tools.pin_chat, "Pin or unpin a chat", icons.PIN, WRITES),
)
"""The tools of no set, in the order in which a model reads them; those of the sets follow."""


def build_tools(settings: Settings) -> list[Tool]:
    """Return the tools that the operator allows, in their order; it never changes."""
    allowed = settings.tools
    return [
        _tool(one, by_host=settings.confirm == "host", structured=settings.structured)
        for one in _all_tools(settings)
        if one.function.__name__ in allowed
    ]


def _all_tools(settings: Settings) -> tuple[ToolDefinition, ...]:
    if not settings.toolsets:
        return TOOLS
    from .toolsets import SET_TOOLS  # noqa: PLC0415 - most servers offer no set, and start sooner

    return TOOLS + SET_TOOLS


def _tool(definition: ToolDefinition, *, by_host: bool, structured: bool) -> Tool:
    """Make a tool as the SDK serves it; with an output schema if it is `structured`."""
    function, title, icon, hints, asks = definition
    description = texts.read(f"tools/{function.__name__}")
    meta = {ASKED_BY_HOST: True} if asks and by_host else None
    tool = Tool.from_function(
        function, title=title, description=description, annotations=hints, icons=icon, meta=meta
    )
    tool.parameters = {**simplify(tool.parameters), "additionalProperties": False}
    schema = simplify(tool.fn_metadata.output_schema or {})
    tool.fn_metadata.output_schema = schema if structured else None
    return tool
