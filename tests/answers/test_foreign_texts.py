"""Text that others wrote is data: it is cleaned wherever it comes out, and can forge nothing."""

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any, cast

import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client, MCPError
from support.conversation import Conversation, connected, facts, raw, text

SECRET = "a1b2c3d4e5f6g7h8"
CANARY = (
    "ca\x1b[31mna\x9b2Jry\u202e\u2066\u200b\U000e0041\u2028\r\n\t\x00 "
    f"https://demo.bitrix24.example/rest/1/{SECRET}/ [url=x]link[/url]"
)
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0041]")


def poisoned(value: Any, *, keep: bool = False) -> Any:
    """Put the canary into every text of an item, but where the text makes the item what it is."""
    if isinstance(value, dict):
        texts = cast("dict[str, Any]", value)
        made = {key: poisoned(one, keep=key in {"id", "type", "date"}) for key, one in texts.items()}
        return {**made, CANARY: CANARY}
    if isinstance(value, list):
        return [poisoned(one) for one in cast("list[Any]", value)]
    return f"{CANARY} {value}" if isinstance(value, str) and not keep else value


def assert_clean(said: str) -> None:
    assert not FORBIDDEN.search(said), ascii(FORBIDDEN.findall(said))
    assert SECRET not in said
    assert "deadbeef" not in said
    assert "[url" not in said


@pytest.fixture
async def hostile(portal: DemoPortal) -> DemoPortal:
    """A portal whose every text is poisoned, refusals and names of items included."""
    items = [poisoned(item) for item in await raw(portal)]
    strange: list[object] = [{"id": CANARY}, {"id": "deadbeef" * 4}, {"id": f"rest/1/{SECRET}/"}]
    portal.override([*items, *strange])
    return portal


@pytest.mark.parametrize("show", ["all", "unread", "pinned", "attention"])
@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
async def test_no_field_of_a_list_goes_past_the_sanitiser(
    converse: Conversation, hostile: DemoPortal, show: str, detail: str
) -> None:
    async with converse() as client:
        arguments = {"show": show, "detail": detail, "limit": 200}
        result = await client.call_tool("list_recent_chats", arguments)
    page = facts(result)
    assert hostile.requests
    assert page["chats"]
    assert_clean(text(result).replace("\t", " ").replace("\n", " "))
    assert_clean(json.dumps(page, ensure_ascii=False))


async def _resource(client: Client) -> str:
    contents = [*(await client.read_resource("bitrix24://recent")).contents]
    contents += (await client.read_resource("bitrix24://chat/chat1201")).contents
    return "".join(content.model_dump()["text"] for content in contents)


async def _prompts(client: Client) -> str:
    got = [await client.get_prompt(name) for name in ("tidy_pins", "triage_inbox")]
    return "".join(message.content.model_dump()["text"] for prompt in got for message in prompt.messages)


@pytest.mark.parametrize("read", [_resource, _prompts])
async def test_neither_resources_nor_prompts_go_past_it(
    converse: Conversation, hostile: DemoPortal, read: Callable[[Client], Any]
) -> None:
    async with converse() as client:
        said = await read(client)
    assert hostile.requests
    assert "cana" in said
    assert_clean(said.replace("\t", " ").replace("\n", " "))


@pytest.mark.parametrize("code", ["ACCESS_ERROR", CANARY])
@pytest.mark.parametrize(
    ("tool", "arguments"), [("list_recent_chats", {}), ("pin_chat", {"dialog_id": "chat7"})]
)
async def test_nor_do_the_portal_s_refusals(
    converse: Conversation, portal: DemoPortal, tool: str, arguments: dict[str, object], code: str
) -> None:
    portal.fail("*", Fault(body={"error": code, "error_description": CANARY}, status=400))
    async with converse() as client:
        result = await client.call_tool(tool, arguments)
        with pytest.raises(MCPError) as error:
            await client.read_resource("bitrix24://recent")
    assert result.is_error
    assert_clean(text(result))
    assert_clean(error.value.message)


FORGERIES = (
    "\t",
    "\n",
    "\r",
    "\u2028",
    "\x1b[2J",
    "\u202e",
    "chat9",
    "group",
    "99 unread",
    "; ",
    "next_cursor x",
)
LETTERS = ('"', "”", "\\n", "30 of 58 chats", "[b]", "[/b]", "👨\u200d👩\u200d👧", "e\u0301", " ", "a")
PIECES = st.lists(st.sampled_from((*FORGERIES, *LETTERS)), max_size=12).map("".join)
FOREIGN = st.text(max_size=40) | PIECES


@settings(max_examples=40)
@given(texts=st.lists(st.tuples(FOREIGN, FOREIGN, FOREIGN), min_size=1, max_size=6))
async def test_the_text_parses_back_into_the_rows_it_came_from_and_holds_nothing_else(
    texts: list[tuple[str, str, str]],
) -> None:
    texts = [cast("Any", tuple(re.sub("[\ud800-\udfff]", "", one) for one in three)) for three in texts]
    portal = DemoPortal()
    portal.override(
        [
            {
                "id": f"chat{number}",
                "title": title,
                "message": {"id": 1, "text": said, "author_id": 9, "date": "2026-11-21T18:00:00+03:00"},
                "user": {"id": 9, "name": author},
                "chat": {"type": "chat"},
            }
            for number, (title, said, author) in enumerate(texts, 1)
        ]
    )
    async with connected(portal, limits={"cache": 0}) as client:
        result = await client.call_tool("list_recent_chats")
    page = facts(result)
    heading, *lines = text(result).split("\n")
    assert heading.startswith(f"{len(texts)} of {len(texts)} chats; nothing unread; as of ")
    assert not any(unicodedata.category(letter) == "Cc" for letter in heading)
    names = ("dialog_id", "kind", "title", "state", "last_at", "last_author", "last_text", "link")
    parsed = [dict(zip(names, line.split("\t"), strict=False)) for line in lines]
    assert [{k: v for k, v in row.items() if v} for row in parsed] == page["chats"]
    assert [row["dialog_id"] for row in parsed] == [f"chat{n}" for n in range(1, len(texts) + 1)]


@pytest.mark.parametrize(
    "address",
    [
        f"/rest/1/{SECRET}/",
        f"https://demo.bitrix24.example/rest/1/{SECRET}/",
        "//evil.example/x",
        "https://evil.example/x",
        "javascript:alert(1)",
    ],
)
async def test_a_link_leads_to_the_portal_and_holds_no_secret(
    converse: Conversation, portal: DemoPortal, address: str
) -> None:
    portal.override([{"id": "chat7", "title": "A", "chat": {"entity_link": {"url": address}}}])
    async with converse() as client:
        (chat,) = facts(await client.call_tool("list_recent_chats"))["chats"]
    assert "link" not in chat
