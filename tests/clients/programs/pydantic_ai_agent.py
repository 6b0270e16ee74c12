"""An agent of pydantic-ai, whose model is a script: list the tools, list chats, pin one, read one error.

The script sees what a real model would see, and nothing else.
"""

import asyncio
import json
import sys
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel


async def converse(address: str, *arguments: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        last = messages[-1].parts[-1]
        if "tools" not in seen:
            seen["tools"] = [tool.name for tool in info.function_tools]
            return _call("list_recent_chats", limit=10)
        if "listed" not in seen:
            assert isinstance(last, ToolReturnPart)
            chosen = next(chat for chat in last.content["chats"] if not chat.get("pinned"))
            seen["listed"] = last.content
            return _call("pin_chat", dialog_id=chosen["dialog_id"])
        if "pinned" not in seen:
            assert isinstance(last, ToolReturnPart)
            seen["pinned"] = last.content
            return _call("pin_chat", dialog_id="chat999999")
        assert isinstance(last, ToolReturnPart)
        seen["refused"] = last.outcome == "retried" and last.content
        return ModelResponse(parts=[TextPart("done")])

    server = address if address.startswith("http") else StdioTransport(address, list(arguments))
    async with Agent(FunctionModel(model), toolsets=[MCPToolset(server)]) as agent:
        await agent.run("Pin the first chat that is not pinned.")
    return seen


def _call(tool: str, **arguments: object) -> ModelResponse:
    return ModelResponse(parts=[ToolCallPart(tool, arguments)])


print(json.dumps(asyncio.run(converse(*sys.argv[1:]))))
