"""The table of the tools of no set; the SDK's form of them is made in `tool_list`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from mcp_types import Icon, ToolAnnotations

from . import icons, tools


class ToolDefinition(NamedTuple):
    """A row of the table of tools; the function's name is the tool's, and that of its text in prompts/."""

    function: Callable[..., Any]
    title: str
    icon: list[Icon]
    hints: ToolAnnotations
    asks: bool = False
    """The user is asked before it acts."""


READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
WRITES = READS.model_copy(update={"read_only_hint": False})

TOOLS = (
    ToolDefinition(tools.list_recent_chats, "List recent chats", icons.CHATS, READS),
    ToolDefinition(tools.pin_chat, "Pin or unpin a chat", icons.PIN, WRITES),
)
"""The tools of no set, in the order in which a model reads them; those of the sets follow."""
