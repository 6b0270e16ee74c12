"""`bitrix24-chat-mcp demo`: the main job on the demo portal, through a real client."""

import asyncio
import sys
import tempfile
from importlib.util import find_spec
from typing import Any, TextIO, cast

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent

_PREVIEW_ROWS = 12


def run() -> int:
    """Play the conversation; return the exit status.

    What the server logs, its audit lines among it, is shown only where the conversation breaks off.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        try:
            return asyncio.run(_play(log))
        except BaseException:
            log.seek(0)
            print(log.read(), file=sys.stderr)
            raise


async def _play(log: TextIO) -> int:
    command = StdioServerParameters(command=sys.executable, args=["-m", "bitrix24_chat_mcp", "--demo"])
    _say("A host starts `bitrix24-chat-mcp --demo` and connects over stdio.")
    async with Client(stdio_client(command, errlog=log)) as client:
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
    _say("Done: listed, pinned, unpinned, and one pin refused with the reason.")
    return 0 if refused.is_error else 1


async def _call(client: Client, tool: str, **arguments: object) -> CallToolResult:
    written = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    _say(f"The assistant calls {tool}({written}) and reads:")
    result = await client.call_tool(tool, arguments)
    said = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    for line in said.splitlines():
        print(f"  {line.expandtabs(4)}")
    return result


def _say(line: str) -> None:
    """Print a line of the narration: bold on a terminal, if the extra `terminal` is installed."""
    if sys.stdout.isatty() and find_spec("rich"):
        from rich.console import Console  # noqa: PLC0415 - only the demo wants it, and only on a terminal
        from rich.text import Text  # noqa: PLC0415

        Console(soft_wrap=True).print(Text(f"\n▶ {line}", style="bold cyan"))
    else:
        print(f"\n▶ {line}", flush=True)
