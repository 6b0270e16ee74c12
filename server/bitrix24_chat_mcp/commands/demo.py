"""`bitrix24-chat-mcp demo`: the main job on the demo portal, then a set of further tools, by a client."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any, TextIO, cast

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent

from .console import CommandError

_PREVIEW_ROWS = 12


def run() -> int:
    """Show the conversation of an assistant with the server. Raises CommandError.

    What the server logs, its audit lines among it, is shown only where the conversation breaks off.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        try:
            asyncio.run(_converse(log))
        except BaseException:
            log.seek(0)
            print(log.read(), file=sys.stderr)
            raise
    return 0


async def _converse(log: TextIO) -> None:
    async with _connected(log) as client:
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
    async with _connected(log, "--toolsets", "read,marks") as client:
        marked = await _read_and_mark(client, rows[0]["dialog_id"])
    if marked.is_error:
        raise CommandError("the demo portal refused to mark a chat; please report this")
    _say("Done: read what is unread, and marked it read as far as it was read.")


async def _read_and_mark(client: Client, dialog_id: str) -> CallToolResult:
    """Read what is unread in a chat, and mark it as read up to there."""
    read = await _call(client, "read_chat", dialog_id=dialog_id, unread_only=True)
    messages = cast("dict[str, list[dict[str, Any]]]", read.structured_content)["messages"]
    bound = {"as": "read", "up_to": messages[-1]["id"]}
    return await _call(client, "mark_chat", dialog_id=dialog_id, **bound)


@asynccontextmanager
async def _connected(log: TextIO, *options: str) -> AsyncGenerator[Client]:
    """Start a server on the demo portal as a host does, and connect to it; `log` takes its stderr."""
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "bitrix24_chat_mcp", "--demo", *options]
    )
    _say(f"A host starts `{' '.join(['bitrix24-chat-mcp --demo', *options])}` and connects over stdio.")
    async with Client(stdio_client(command, errlog=log)) as client:
        _say(f"Connected, protocol {client.protocol_version}. The server offers:")
        for tool in (await client.list_tools()).tools:
            print(f"  {tool.name}: {(tool.description or '').splitlines()[0]}")
        yield client


async def _call(client: Client, tool: str, **arguments: object) -> CallToolResult:
    written = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    _say(f"The assistant calls {tool}({written}) and reads:")
    result = await client.call_tool(tool, arguments)
    answer = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    for line in answer.splitlines():
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
