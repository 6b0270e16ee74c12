"""The tools as hosts see them: names, titles, descriptions, hints, icons and tidy schemas."""

from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import Icon, ToolAnnotations

from . import icons, texts, tools
from .json_schema import simplify


def _tool(function: Callable[..., Any], title: str, icon: list[Icon], *, reads: bool) -> Tool:
    name = function.__name__
    hints = ToolAnnotations(
        read_only_hint=reads, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    tool = Tool.from_function(
        function, title=title, description=texts.read(f"tools/{name}"), annotations=hints, icons=icon
    )
    tool.parameters = {**simplify(tool.parameters), "additionalProperties": False}
    tool.fn_metadata.output_schema = simplify(tool.fn_metadata.output_schema or {})
    return tool


def build_tools(*, read_only: bool) -> list[Tool]:
    """Return the tools in the order in which a model reads them; it never changes."""
    reading = _tool(tools.list_recent_chats, "List recent chats", icons.CHATS, reads=True)
    pinning = _tool(tools.pin_chat, "Pin or unpin a chat", icons.PIN, reads=False)
    return [reading] if read_only else [reading, pinning]
