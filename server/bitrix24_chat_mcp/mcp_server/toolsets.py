"""The table of the tools that one opts into; imported only where a set is on."""

from . import icons, set_tools
from .tool_definitions import READS, WRITES, ToolDefinition

_DESTROYS = WRITES.model_copy(update={"destructive_hint": True})
_DESTROYS_MORE_EACH_TIME = _DESTROYS.model_copy(update={"idempotent_hint": False})

SET_TOOLS = (
    ToolDefinition(set_tools.read_chat, "Read a chat", icons.CHATS, READS),
    ToolDefinition(set_tools.search_chat, "Search in a chat", icons.CHATS, READS),
    ToolDefinition(set_tools.mark_chat, "Mark a chat read or unread", icons.CHATS, WRITES),
    ToolDefinition(set_tools.mute_chat, "Mute or unmute a chat", icons.CHATS, WRITES),
    ToolDefinition(set_tools.hide_chat, "Hide a chat", icons.CHATS, _DESTROYS, asks=True),
    ToolDefinition(
        set_tools.mark_all_read, "Mark all chats read", icons.CHATS, _DESTROYS_MORE_EACH_TIME, asks=True
    ),
)
"""In the order of `settings.toolsets`, whose sets they make up."""
