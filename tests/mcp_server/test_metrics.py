"""An operator sees how long each MCP request took and how it ended, by OpenTelemetry's conventions."""

from typing import Any

import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from mcp.shared.exceptions import MCPError
from support.conversation import Conversation
from support.telemetry import collect_metrics, figures

DURATION = "mcp.server.operation.duration"


@pytest.fixture(autouse=True)
def metrics() -> None:
    collect_metrics()


def operations() -> list[dict[str, Any]]:
    return [dict(point.attributes) for point in figures().get(DURATION, [])]


def ended(error: str | None, tool: str = "list_recent_chats") -> bool:
    return any(one.get("error.type") == error and one.get("gen_ai.tool.name") == tool for one in operations())


async def test_each_call_is_measured_with_its_method_tool_and_protocol(converse: Conversation) -> None:
    async with converse() as client:
        await client.call_tool("list_recent_chats", {"limit": 1})
        version = client.protocol_version
    assert {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": version,
        "network.transport": "pipe",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "list_recent_chats",
    } in operations()


async def test_a_tool_error_is_counted_by_its_code(converse: Conversation, portal: DemoPortal) -> None:
    portal.fail("*", Fault(error="ACCESS_DENIED"))
    async with converse() as client:
        await client.call_tool("list_recent_chats", {})
    assert ended("ACCESS_DENIED")


async def test_a_protocol_error_is_counted_by_its_number(converse: Conversation) -> None:
    async with converse() as client:
        with pytest.raises(MCPError):
            await client.get_prompt("nonsense")
    assert any(
        one["mcp.method.name"] == "prompts/get" and one.get("error.type") == "-32602" for one in operations()
    )


async def test_names_that_a_caller_makes_up_are_one_series(converse: Conversation) -> None:
    async with converse() as client:
        for number in range(3):
            await client.call_tool(f"made_up_{number}", {})
    assert ended("UNKNOWN_TOOL", tool="_OTHER")
    assert "made_up" not in repr(operations())
