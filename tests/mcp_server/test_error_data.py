"""A program reads of a tool error its code, and when to try again, beside the sentence for the model."""

import asyncio
from typing import Any

import pytest
from mcp_types import CallToolResult
from support.conversation import VIRTUAL_TIME, Conversation, text

KEY = "io.github.bitrix24-chat-mcp/error"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return VIRTUAL_TIME


def data(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    assert result.structured_content is None
    return (result.meta or {})[KEY]


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("pin_chat", {"dialog_id": "chat999999"}, "ACCESS_ERROR"),
        ("pin_chat", {}, "INVALID_ARGUMENT"),
        ("pin_chat", {"dialogid": "7"}, "UNKNOWN_ARGUMENT"),
        ("unpin_all", {}, "UNKNOWN_TOOL"),
    ],
)
@pytest.mark.parametrize("structured", [True, False])
async def test_a_tool_error_has_the_code_that_begins_its_sentence(
    converse: Conversation, tool: str, arguments: dict[str, Any], code: str, *, structured: bool
) -> None:
    async with converse(structured=structured) as client:
        result = await client.call_tool(tool, arguments)
    assert data(result) == {"code": code}
    assert text(result).startswith(f"{code}: ")


async def test_a_tool_error_has_the_seconds_after_which_to_try_again(converse: Conversation) -> None:
    async with converse(limits={"rate": 0.2, "burst": 5, "queue": 0, "cache": 0}) as client:
        calls = (client.call_tool("pin_chat", {"dialog_id": str(user)}) for user in (5, 7, 9, 12, 14, 17))
        results = await asyncio.gather(*calls)
    result = next(result for result in results if result.is_error)
    assert data(result) == {"code": "QUEUE_FULL", "retry_after_seconds": 5}
    assert "Try again in 5 seconds." in text(result)


async def test_an_answer_that_is_no_error_has_no_such_data(converse: Conversation) -> None:
    async with converse() as client:
        result = await client.call_tool("list_recent_chats", {"limit": 1})
    assert KEY not in (result.meta or {})
