"""The client of fastmcp: list the tools, list chats, pin one, read one error."""

import asyncio
import json
import sys
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError


async def converse(address: str, *arguments: str) -> dict[str, Any]:
    server = address if address.startswith("http") else StdioTransport(address, list(arguments))
    async with Client(server) as client:
        tools = [tool.name for tool in await client.list_tools()]
        listed = await client.call_tool("list_recent_chats", {"limit": 10})
        chats = listed.structured_content["chats"]
        chosen = next(chat for chat in chats if not chat.get("pinned"))
        pinned = await client.call_tool("pin_chat", {"dialog_id": chosen["dialog_id"]})
        try:
            await client.call_tool("pin_chat", {"dialog_id": "chat999999"})
            refused = ""
        except ToolError as error:
            refused = str(error)
    return {
        "tools": tools,
        "listed": listed.structured_content,
        "pinned": pinned.structured_content,
        "refused": refused,
    }


print(json.dumps(asyncio.run(converse(*sys.argv[1:]))))
