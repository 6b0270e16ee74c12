"""The tools as langchain sees them, on version 1 of the SDK: list, pin, and read one error."""

import asyncio
import json
import sys
from typing import Any

from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools


async def converse(address: str, *arguments: str) -> dict[str, Any]:
    server = (
        {"transport": "streamable_http", "url": address}
        if address.startswith("http")
        else {"transport": "stdio", "command": address, "args": list(arguments)}
    )
    async with MultiServerMCPClient({"bitrix24": server}).session("bitrix24") as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session)}
        listed = await _call(tools["list_recent_chats"], limit=10)
        chosen = next(chat for chat in _structure(listed)["chats"] if not chat.get("pinned"))
        pinned = await _call(tools["pin_chat"], dialog_id=chosen["dialog_id"])
        refused = await _call(tools["pin_chat"], dialog_id="chat999999")
    return {
        "tools": list(tools),
        "listed": _structure(listed),
        "pinned": _structure(pinned),
        "refused": refused.status == "error" and refused.text,
    }


async def _call(tool: Any, **arguments: object) -> Any:
    return await tool.ainvoke({"type": "tool_call", "id": "1", "name": tool.name, "args": arguments})


def _structure(message: Any) -> dict[str, Any]:
    return message.artifact["structured_content"]


print(json.dumps(asyncio.run(converse(*sys.argv[1:]))))
