"""Words that the tests share: eras, conversations, and what a model reads of a result."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, cast

import looptime
from mcp import Client
from mcp_types import CallToolResult, TextContent

VIRTUAL_TIME = ("asyncio", {"loop_factory": looptime.make_event_loop_class(asyncio.SelectorEventLoop)})
"""An `anyio_backend` in whose event loop waiting takes no time."""

Era = Literal["auto", "legacy"]
Conversation = Callable[..., AbstractAsyncContextManager[Client]]


def text(result: CallToolResult) -> str:
    """Return what a model reads."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def facts(result: CallToolResult) -> dict[str, Any]:
    """Return what a program reads."""
    structure: object = result.structured_content
    assert isinstance(structure, dict), text(result)
    return cast("dict[str, Any]", structure)
