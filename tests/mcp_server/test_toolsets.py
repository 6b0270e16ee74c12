"""Which tools a client is offered: sets, exclusions, read_only, headers, and who can be asked."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from bitrix24_chat_mcp.settings.load import ConfigError, load
from bitrix24_chat_mcp.settings.toolsets import TOOL_NAMES, TOOLSETS
from bitrix24_demo_portal import DemoPortal
from jsonschema import Draft202012Validator
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult, TextContent
from support.commands import COMMAND, environment, run, started
from support.conversation import Conversation, Era, connected, text
from support.tokens import count_json
from syrupy.assertion import SnapshotAssertion

DEFAULT = ["list_recent_chats", "pin_chat"]
ALL = list(TOOLSETS)
MOST_TOKENS = 250
READ_ONLY = ["list_recent_chats", "read_chat", "search_chat"]


Headers = dict[str, str] | list[tuple[str, str]]


async def agreed(context: object, params: ElicitRequestParams) -> ElicitResult:
    del context, params
    return ElicitResult(action="accept", content={"proceed": True})


async def names(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


def seen(tool: dict[str, Any]) -> dict[str, Any]:
    return {key: tool[key] for key in ("name", "description", "inputSchema")}


@pytest.mark.parametrize("sets", [["read"], ["marks"], ["tidy"], ALL], ids="-".join)
async def test_each_set_is_as_published(
    converse: Conversation, sets: list[str], snapshot: SnapshotAssertion
) -> None:
    async with converse(toolsets=sets, asked=agreed) as client:
        tools = (await client.list_tools()).tools
        assert client.instructions == snapshot(name="instructions")
    offered = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    assert [tool["name"] for tool in offered] == [*DEFAULT, *(name for one in sets for name in TOOLSETS[one])]
    for tool in offered[len(DEFAULT) :]:
        assert tool == snapshot(name=tool["name"])


async def test_the_default_tools_are_the_same_whatever_sets_are_on(converse: Conversation) -> None:
    async with converse() as client:
        alone = (await client.list_tools()).tools
    async with converse(toolsets=ALL, asked=agreed) as client:
        among = (await client.list_tools()).tools
    assert among[: len(alone)] == alone


async def test_the_tools_of_the_sets_are_short_and_valid(converse: Conversation) -> None:
    async with converse(toolsets=ALL, asked=agreed) as client:
        tools = (await client.list_tools()).tools
    for tool in tools[len(DEFAULT) :]:
        dumped = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert count_json(seen(dumped)) <= MOST_TOKENS
        assert len(dumped["annotations"]) == 4
        for schema in (dumped["inputSchema"], dumped["outputSchema"]):
            Draft202012Validator.check_schema(schema)
            assert not any(noise in json.dumps(schema) for noise in ("$ref", "$defs", "anyOf", '"title": "'))


@pytest.mark.parametrize(
    ("settings", "offered"),
    [
        ({}, DEFAULT),
        ({"toolsets": ["tidy"], "exclude_tools": ["hide_chat"]}, [*DEFAULT, "mark_all_read"]),
        ({"toolsets": ["marks"], "read_only": True}, ["list_recent_chats"]),
        ({"toolsets": ALL, "read_only": True}, READ_ONLY),
        ({"toolsets": ALL, "read_only": True, "exclude_tools": ["read_chat"]}, [READ_ONLY[0], READ_ONLY[2]]),
        ({"toolsets": ["marks", "read"]}, [*DEFAULT, *TOOLSETS["read"], *TOOLSETS["marks"]]),
        ({"exclude_tools": ["pin_chat"]}, DEFAULT[:1]),
    ],
)
async def test_exclude_tools_and_read_only_win_over_the_sets(
    converse: Conversation, settings: dict[str, Any], offered: list[str]
) -> None:
    async with converse(asked=agreed, **settings) as client:
        assert await names(client) == offered
        for name in set(TOOL_NAMES) - set(offered):
            assert text(await client.call_tool(name, {})).startswith("UNKNOWN_TOOL: ")


async def test_the_instructions_name_no_set_of_which_no_tool_is_left(converse: Conversation) -> None:
    async with converse() as client:
        default = client.instructions
    for left in ({"read_only": True}, {"exclude_tools": ["mark_chat", "mute_chat"]}):
        async with converse(toolsets=["marks"], **left) as client:
            assert client.instructions == default


async def test_a_client_that_cannot_be_asked_is_not_offered_what_asks(converse: Conversation) -> None:
    async with converse(toolsets=ALL) as client:
        assert await names(client) == [*DEFAULT, *TOOLSETS["read"], *TOOLSETS["marks"]]
        refused = await client.call_tool("hide_chat", {"dialog_id": "7"})
    assert text(refused).startswith("UNKNOWN_TOOL: ")


async def test_where_the_host_asks_every_client_is_offered_them_with_the_mark(converse: Conversation) -> None:
    async with converse(toolsets=["tidy"], confirm="host") as client:
        tools = (await client.list_tools()).tools
    marked = [tool.name for tool in tools if tool.meta == {"anthropic/requiresUserInteraction": True}]
    assert marked == list(TOOLSETS["tidy"])


@pytest.mark.parametrize(
    ("setting", "wrong", "said"),
    [
        ("toolsets", "raed", "toolsets: there is no set 'raed'; did you mean read?"),
        ("toolsets", "zzz", "toolsets: there is no set 'zzz'; there are read, marks, tidy"),
        ("exclude_tools", "pin_chats", "exclude_tools: there is no tool 'pin_chats'; did you mean pin_chat?"),
    ],
)
def test_an_unknown_name_stops_the_start_and_names_the_nearest(
    tmp_path: Path, setting: str, wrong: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(**{setting: wrong})
    file = tmp_path / "config.toml"
    file.write_text(f'{setting} = ["{wrong}"]')
    variable = f"BITRIX24_{setting.upper()}"
    for refused, named in (
        (run(f"--{setting.replace('_', '-')}", wrong, "--demo"), setting),
        (run("--demo", "--config", str(file)), setting),
        (run("--demo", **{variable: wrong}), f"{setting} ({variable})"),
    ):
        assert refused.returncode == 2
        assert refused.stderr == f"bitrix24-chat-mcp: {named}{said.removeprefix(setting)}\n"


def test_the_sets_are_named_on_the_command_line_in_the_environment_and_in_the_file() -> None:
    assert load(toolsets="marks,read").toolsets == {"marks", "read"}
    assert load(toolsets=["tidy"]).toolsets == {"tidy"}
    checked = run("check", "--demo", BITRIX24_TOOLSETS="read", BITRIX24_EXCLUDE_TOOLS="search_chat")
    (tools,) = (line for line in checked.stdout.splitlines() if line.startswith("ok    tools: "))
    assert re.findall(r"(\w+) about \d+ tokens", tools) == [*DEFAULT, "read_chat"]


async def test_over_stdio_the_command_serves_its_sets(era: Era) -> None:
    arguments = [*COMMAND[1:], "--demo", "--toolsets", "read,tidy"]
    command = StdioServerParameters(command=COMMAND[0], args=arguments, env=environment())
    async with Client(command, mode=era, elicitation_callback=agreed) as client:
        assert await names(client) == [*DEFAULT, *TOOLSETS["read"], *TOOLSETS["tidy"]]
        hidden = await client.call_tool("hide_chat", {"dialog_id": "7"})
        assert text(hidden).startswith("[demo portal] Hid “")


@asynccontextmanager
async def over_http(address: str, era: Era, headers: Headers) -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(
            streamable_http_client(address, http_client=http), mode=era, elicitation_callback=agreed
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        ({}, [*DEFAULT, *TOOLSETS["read"], *TOOLSETS["tidy"]]),
        ({"X-MCP-Toolsets": "read"}, [*DEFAULT, *TOOLSETS["read"]]),
        ({"x-mcp-toolsets": "marks, nonsense"}, DEFAULT),
        ({"X-MCP-Toolsets": ""}, DEFAULT),
        ({"X-MCP-Readonly": "true"}, READ_ONLY),
        ({"X-MCP-Readonly": "false"}, [*DEFAULT, *TOOLSETS["read"], *TOOLSETS["tidy"]]),
        ({"X-MCP-Readonly": "1", "X-MCP-Toolsets": "tidy"}, DEFAULT[:1]),
        ([("X-MCP-Readonly", "false"), ("X-MCP-Readonly", "true")], READ_ONLY),
        ([("X-MCP-Toolsets", "read,tidy"), ("X-MCP-Toolsets", "read")], [*DEFAULT, *TOOLSETS["read"]]),
    ],
)
async def test_headers_narrow_what_is_offered_and_never_widen_it(
    era: Era, headers: Headers, offered: list[str]
) -> None:
    options = ("--transport", "http", "--port", "0", "--demo", "--toolsets", "read,tidy")
    with started(*options, announcing=r"on (http\S+/mcp)") as found:
        async with over_http(found[1], era, headers) as client:
            assert await names(client) == offered
            refused = await client.call_tool("mark_chat", {"dialog_id": "7", "as": "unread"})
            assert text(refused).startswith("UNKNOWN_TOOL: ")
            if "hide_chat" in offered:
                hidden = await client.call_tool("hide_chat", {"dialog_id": "7"})
                assert text(hidden).startswith("[demo portal] Hid “")


@pytest.mark.parametrize(("headers", "scope"), [({}, "public"), ({"X-MCP-Readonly": "true"}, "private")])
async def test_a_list_that_a_header_narrowed_is_private_to_its_client(
    headers: dict[str, str], scope: str
) -> None:
    with started("--transport", "http", "--port", "0", "--demo", announcing=r"on (http\S+/mcp)") as found:
        async with over_http(found[1], "auto", headers) as client:
            assert (await client.list_tools()).cache_scope == scope


async def test_a_list_with_sets_is_private_because_it_depends_on_the_client(portal: DemoPortal) -> None:
    async with connected(portal, toolsets=["read"]) as client:
        assert (await client.list_tools()).cache_scope == "private"


@pytest.mark.parametrize(("sets", "reads"), [([], False), (["marks"], False), (["read"], True)])
async def test_triage_reads_the_chats_it_is_unsure_about_where_it_can(
    converse: Conversation, sets: list[str], *, reads: bool
) -> None:
    async with converse(toolsets=sets) as client:
        content = (await client.get_prompt("triage_inbox")).messages[0].content
    assert isinstance(content, TextContent)
    assert ("read_chat with unread_only=true" in content.text) is reads
    assert "$" not in content.text
