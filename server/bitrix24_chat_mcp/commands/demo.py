"""`bitrix24-chat-mcp demo`: the main job on the demo portal, through a real client."""

import asyncio
import sys
from typing import Any, cast

from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent

from .console import CommandError

_PREVIEW_ROWS = 12


def run() -> int:
    """Show the conversation of an assistant with the server. Raises CommandError."""
    asyncio.run(_converse())
    return 0


async def _converse() -> None:
    command = StdioServerParameters(command=sys.executable, args=["-m", "bitrix24_chat_mcp", "--demo"])
    _say("A host starts `bitrix24-chat-mcp --demo` and connects over stdio.")
    async with Client(command) as client:
        _say(f"Connected, protocol {client.protocol_version}. The server offers:")
        for tool in (await client.list_tools()).tools:
            print(f"  {tool.name}: {(tool.description or '').splitlines()[0]}")
        chats = await _call(client, "list_recent_chats", limit=_PREVIEW_ROWS)
        rows = cast("dict[str, list[dict[str, Any]]]", chats.structured_content)["chats"]
        chosen = next(row for row in rows if not row.get("pinned") and row["kind"] != "openline")
        await _call(client, "pin_chat", dialog_id=chosen["dialog_id"])
        await _call(client, "list_recent_chats", limit=5)
        await _call(client, "pin_chat", dialog_id=chosen["dialog_id"], pin=False)
        refused = await _call(client, "pin_chat", dialog_id="chat999999")
    if not refused.is_error:
        raise CommandError("the demo portal pinned a chat that does not exist; please report this")
    _say("Done: listed, pinned, unpinned, and one pin refused with the reason.")


async def _call(client: Client, tool: str, **arguments: object) -> CallToolResult:
    written = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    _say(f"The assistant calls {tool}({written}) and reads:")
    result = await client.call_tool(tool, arguments)
    answer = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    for line in answer.splitlines():
        print(f"  {line.expandtabs(4)}")
    return result


def _say(line: str) -> None:
    print(f"\n▶ {line}", flush=True)
