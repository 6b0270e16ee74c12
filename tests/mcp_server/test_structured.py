"""With `structured = false` answers are text alone, for hosts that prefer the structured form."""

import json
from typing import Any

from bitrix24_demo_portal import DemoPortal
from support.conversation import Conversation, text
from support.tokens import count, count_json
from syrupy.assertion import SnapshotAssertion


async def test_without_structure_the_tools_are_as_published(
    converse: Conversation, snapshot: SnapshotAssertion
) -> None:
    async with converse(structured=False) as client:
        tools = (await client.list_tools()).tools
    for tool in tools:
        assert tool.output_schema is None
        assert tool.model_dump(mode="json", by_alias=True, exclude_none=True) == snapshot(name=tool.name)


async def test_without_structure_the_definitions_differ_in_the_output_schema_alone(
    converse: Conversation,
) -> None:
    async def listed(**settings: object) -> list[dict[str, Any]]:
        async with converse(**settings) as client:
            tools = (await client.list_tools()).tools
        return [tool.model_dump(mode="json", exclude={"output_schema"}) for tool in tools]

    assert await listed(structured=False) == await listed()


async def test_without_structure_the_text_is_the_same_and_all_there_is(
    converse: Conversation, portal: DemoPortal
) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_recent_chats", {"limit": 5}),
        ("pin_chat", {"dialog_id": "7"}),
        ("pin_chat", {"dialog_id": "chat999999"}),
    ]
    answers: list[list[str]] = []
    for structured in (True, False):
        portal.reset()
        async with converse(structured=structured) as client:
            results = [await client.call_tool(tool, arguments) for tool, arguments in calls]
        answers.append([text(result) for result in results])
        assert [result.structured_content is None for result in results] == [
            not structured,
            not structured,
            True,
        ]
    assert answers[0] == answers[1]


async def test_the_text_costs_two_thirds_of_the_structure(converse: Conversation) -> None:
    async with converse() as client:
        result = await client.call_tool("list_recent_chats", {"limit": 30})
    structure: object = result.structured_content
    assert count(text(result)) < 0.75 * count_json(json.loads(json.dumps(structure)))
