"""What answers and definitions cost a model, in tokens of o200k_base."""

import asyncio
import json
from collections.abc import Generator, Iterable
from typing import Any

import bpe_openai
import httpx
from bitrix24_chat_mcp.app import build_server
from bitrix24_chat_mcp.config import Settings
from bitrix24_chat_mcp.demo import DemoPortal
from bitrix24_chat_mcp.portal.carrier import Carrier, in_process
from mcp import Client
from mcp_types import TextContent

from bench.table import Row

CHATS = 50
_encoding = bpe_openai.get_encoding("o200k_base")


def rows() -> Generator[Row]:
    """Count fifty Russian chats whose previews are cut at 80 characters, and the tools' definitions."""
    text, structure, tools, raw = asyncio.run(_converse())
    yield Row("text, tokens a chat", _count(text) / CHATS, 45)
    both = f"{_count(raw)} beside {_count(text)}"
    yield Row("portal's own JSON / text, tokens", _count(raw) / _count(text), 10, both, at_least=True)
    yield Row("structure, tokens a chat", _count(_compact(structure)) / CHATS, 60)
    seen = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
    yield Row("both tools as a model sees them, tokens", sum(map(_count, map(_compact, seen))), 1000)
    yield Row("tools/list, tokens", _count(_compact(tools)), 2000)


async def _converse() -> tuple[str, object, list[dict[str, Any]], str]:
    portal = DemoPortal(chats=CHATS)
    settings = Settings.model_validate({"webhook_url": portal.webhook()})
    async with Client(build_server(settings, Carrier(transport=in_process(portal)))) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("list_recent_chats", {"limit": CHATS})
    async with httpx.AsyncClient(transport=in_process(portal)()) as client:
        answer = (await client.post(f"{portal.webhook()}im.recent.get", json={})).json()
    raw = _compact(answer["result"])  # without the indents and escapes that others pay for as well
    return (
        _said(result.content),
        result.structured_content,
        [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools],
        raw,
    )


def _said(content: Iterable[object]) -> str:
    return "\n".join(block.text for block in content if isinstance(block, TextContent))


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _count(text: str) -> int:
    return len(_encoding.encode(text))
