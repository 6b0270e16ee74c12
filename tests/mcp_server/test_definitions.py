"""What hosts and models see of the server before the first call: golden files, read as product text."""

import json
from pathlib import Path
from typing import Any

import pytest
from bitrix24_chat_mcp.mcp_server.definitions import digest
from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, TextContent
from support.commands import run
from support.conversation import Conversation
from syrupy.assertion import SnapshotAssertion

KEPT_SHORT = 700
ROOT = Path(__file__).parents[2]


async def _tools(converse: Conversation) -> list[dict[str, Any]]:
    async with converse() as client:
        tools = (await client.list_tools()).tools
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]


async def test_the_tools_are_as_published(converse: Conversation, snapshot: SnapshotAssertion) -> None:
    for tool in await _tools(converse):
        assert tool == snapshot(name=tool["name"])


async def test_the_tools_are_short_explicit_and_valid(converse: Conversation) -> None:
    tools = await _tools(converse)
    assert [tool["name"] for tool in tools] == ["list_recent_chats", "pin_chat"]
    for tool in tools:
        assert len(tool["description"]) < KEPT_SHORT
        assert set(tool["annotations"]) == {
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        }
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            Draft202012Validator.check_schema(schema)
            written = json.dumps(schema)
            assert not any(noise in written for noise in ("$ref", "$defs", "anyOf", '"title": "'))


async def test_the_instructions_are_as_published(converse: Conversation, snapshot: SnapshotAssertion) -> None:
    async with converse() as client:
        assert client.instructions == snapshot(name="instructions")


async def test_the_prompts_are_as_published(converse: Conversation, snapshot: SnapshotAssertion) -> None:
    async with converse() as client:
        prompts = (await client.list_prompts()).prompts
        assert [prompt.name for prompt in prompts] == ["tidy_pins", "triage_inbox"]
        for prompt in prompts:
            got = await client.get_prompt(prompt.name)
            content = got.messages[0].content
            assert isinstance(content, TextContent)
            assert f"{prompt.title}: {prompt.description}\n\n{content.text}" == snapshot(name=prompt.name)


async def test_a_prompt_that_is_not_there_is_the_caller_s_mistake(
    converse: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    async with converse() as client:
        with pytest.raises(MCPError, match="There is no prompt 'nonsense', only ") as refused:
            await client.get_prompt("nonsense")
    assert refused.value.code == INVALID_PARAMS
    assert not caplog.records


async def test_an_argument_that_a_prompt_does_not_have_is_the_caller_s_mistake(
    converse: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    async with converse() as client:
        said = r"UNKNOWN_ARGUMENT: triage_inbox has no argument 'kind'. Did you mean kinds\? It takes kinds."
        with pytest.raises(MCPError, match=said) as refused:
            await client.get_prompt("triage_inbox", {"kind": "person"})
        with pytest.raises(MCPError, match="UNKNOWN_ARGUMENT") as long:
            await client.get_prompt("triage_inbox", {"kind\x1b" * 20_000: "x"})
    assert refused.value.code == long.value.code == INVALID_PARAMS
    assert len(long.value.message) < 200
    assert not caplog.records


async def test_a_change_of_the_definitions_has_its_line_in_the_changelog() -> None:
    """The line names them by their digest, so that it cannot be forgotten: it has to be written by hand."""
    name = f"definitions {await digest()}"
    latest = (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1]
    lines = latest.replace("\n  ", " ").splitlines()
    assert any(line.startswith("- ") and name in line for line in lines), f"no line says: ({name})"


async def test_check_prints_the_digest_of_the_definitions() -> None:
    assert f"definitions: {await digest()}" in run("check", "--demo").stdout
