"""The tools as hosts see them: names, titles, descriptions, hints, icons and simple schemas."""

from mcp.server.mcpserver.tools import Tool

from bitrix24_chat_mcp.settings.load import Settings

from . import texts
from .json_schema import simplify
from .tool_definitions import TOOLS, ToolDefinition

ASKED_BY_HOST = "anthropic/requiresUserInteraction"
"""In a tool's metadata: Claude Code asks its user before each call."""


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
