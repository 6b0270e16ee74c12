"""The tools as hosts see them: names, titles, descriptions, hints, icons and simple schemas."""

from collections.abc import Callable
from typing import Any, NamedTuple

from mcp.server.mcpserver.tools import Tool
from mcp_types import Icon, ToolAnnotations

from . import icons, texts, tools
from .json_schema import simplify


class ToolDefinition(NamedTuple):
    """A row of the table of tools; the function's name is the tool's, and that of its text in prompts/."""

    function: Callable[..., Any]
    title: str
    icon: list[Icon]
    hints: ToolAnnotations


_READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_WRITES = _READS.model_copy(update={"read_only_hint": False})

TOOLS = (
    ToolDefinition(tools.list_recent_chats, "List recent chats", icons.CHATS, _READS),
    ToolDefinition(tools.pin_chat, "Pin or unpin a chat", icons.PIN, _WRITES),
)
"""All tools, in the order in which a model reads them; it never changes."""


def build_tools(*, read_only: bool, structured: bool) -> list[Tool]:
    """Return the tools that are offered, in their order; with an output schema if they are `structured`."""
    offered = (one for one in TOOLS if one.hints.read_only_hint or not read_only)
    return [_tool(one, structured=structured) for one in offered]


def _tool(definition: ToolDefinition, *, structured: bool) -> Tool:
    function, title, icon, hints = definition
    description = texts.read(f"tools/{function.__name__}")
    tool = Tool.from_function(function, title=title, description=description, annotations=hints, icons=icon)
    tool.parameters = {**simplify(tool.parameters), "additionalProperties": False}
    schema = simplify(tool.fn_metadata.output_schema or {})
    tool.fn_metadata.output_schema = schema if structured else None
    return tool
