"""An MCP server for somebody's Bitrix24 chats.

The path of a tool call, one floor a module:

    host ── stdio | HTTP ──▶ __main__ ▶ app ▶ tools ▶ portal.client ▶ portal.rest ▶ carrier ──▶ Bitrix24
                                             ◀ answers ◀ portal.models ◀─────────────┘

`config` holds the settings, `wording` finds the texts in prompts/, and `demo` is a stand-in portal
that shares no code with the rest.
"""

__version__ = "0.1.0"
