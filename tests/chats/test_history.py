"""An assistant reads a chat and searches in it; nothing is marked as read by that."""

from typing import Any

import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal, Fault
from bitrix24_demo_portal.data.chat_fixtures import file_object
from bitrix24_demo_portal.data.world import Message
from jsonschema import validate
from mcp import Client
from support.conversation import Conversation, connected, facts, text
from support.tokens import count, count_json

SETS = ["read"]
UNREAD = "--- unread from here ---"


async def read(client: Client, dialog_id: object = "chat1201", **arguments: object) -> dict[str, Any]:
    return facts(await client.call_tool("read_chat", {"dialog_id": dialog_id, **arguments}))


def post(portal: DemoPortal, dialog: str, said: str, author: int = 9, **more: Any) -> int:
    """Post a message with more than a text."""
    chat = portal.world.chats[int(dialog.removeprefix("chat"))]
    return portal.world.say(chat, Message(author, said, portal.now(), **more)).id


@pytest.fixture
def long_chat(portal: DemoPortal) -> str:
    """A chat of 120 messages of others, the last 60 of them unread."""
    dialog = str(portal.add_chat(ChatFixture("chat", "volkov", "Долгий", "первое", empty=True)))
    ids = [post(portal, dialog, f"message {number}") for number in range(120)]
    portal.world.chats[int(dialog[4:])].read[1] = ids[59]
    return dialog


async def test_reading_a_chat_shows_where_unread_begins_and_marks_nothing(
    converse: Conversation, portal: DemoPortal
) -> None:
    async with converse(toolsets=SETS) as client:
        result = await client.call_tool("read_chat", {"dialog_id": "chat1201"})
        again = await client.call_tool("list_recent_chats", {"limit": 1})
    heading, *lines = text(result).split("\n")
    page = facts(result)
    assert "reading marks nothing as read" in heading
    assert lines[lines.index(UNREAD) + 1].startswith(f"{page['unread_from']}\t")
    assert [row["id"] for row in page["messages"]] == sorted(row["id"] for row in page["messages"])
    assert facts(again)["chats"][0]["unread"] == 3
    assert not any("read" in request.method.rpartition(".")[2] for request in portal.requests)


async def test_authors_are_named_and_the_user_is_you(converse: Conversation) -> None:
    async with converse(toolsets=SETS) as client:
        page = await read(client, "7")
    assert {row["author"] for row in page["messages"] if "author" in row} >= {"you", "Мария Кузнецова"}
    assert page["title"] == "Мария Кузнецова"


async def test_both_channels_hold_the_same_facts_and_the_published_schema_holds(
    converse: Conversation,
) -> None:
    async with converse(toolsets=SETS) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        results = {
            "read_chat": await client.call_tool("read_chat", {"dialog_id": "chat1201", "limit": 50}),
            "search_chat": await client.call_tool(
                "search_chat", {"dialog_id": "chat1201", "query": "сборка"}
            ),
        }
    for name, result in results.items():
        page, lines = facts(result), [line for line in text(result).split("\n")[1:] if line != UNREAD]
        validate(page, tools[name].output_schema or {})
        assert len(lines) == page["shown"] == len(page["messages"])
        for row, line in zip(page["messages"], lines, strict=True):
            fields = [str(row["id"]), row.get("at", ""), row.get("author", ""), row.get("text", "")]
            assert line.split("\t")[:4] == fields[: len(line.split("\t"))]
            for flag in ("edited", "deleted", "call"):
                assert (flag in line.split("\t")[-1].split(", ")) is row.get(flag, False)


@pytest.mark.parametrize("limit", [4, 20, 50])
async def test_pages_by_message_id_have_no_gap_and_no_repetition(
    converse: Conversation, long_chat: str, limit: int
) -> None:
    found: list[str] = []
    async with converse(toolsets=SETS) as client:
        before = 0
        while True:
            page = await read(client, long_chat, limit=limit, before=before)
            found = [row["text"] for row in page["messages"]] + found
            before = page.get("before", 0)
            if not before:
                break
    assert found == [f"message {number}" for number in range(120)]


async def test_the_newest_come_first_however_many_are_unread(converse: Conversation, long_chat: str) -> None:
    """Without LAST_ID the portal leaves them out, and gives more than LIMIT."""
    async with converse(toolsets=SETS) as client:
        page = await read(client, long_chat, limit=3)
    assert [row["text"] for row in page["messages"]] == ["message 117", "message 118", "message 119"]
    assert "unread begins before these" in page["notes"]


async def test_unread_only_reads_back_to_the_first_unread_message(
    converse: Conversation, long_chat: str
) -> None:
    found: list[str] = []
    async with converse(toolsets=SETS) as client:
        before = 0
        while True:
            page = await read(client, long_chat, limit=25, before=before, unread_only=True)
            found = [row["text"] for row in page["messages"]] + found
            before = page.get("before", 0)
            if not before:
                break
    assert found == [f"message {number}" for number in range(60, 120)]


async def test_a_chat_without_unread_messages_says_so(converse: Conversation, portal: DemoPortal) -> None:
    chat = portal.world.chats[1201]
    chat.read[1] = chat.messages[-1].id
    async with converse(toolsets=SETS) as client:
        page = await read(client, unread_only=True)
    assert page["shown"] == 0
    assert "nothing unread" in page["notes"]


async def test_bb_codes_are_told_in_words(converse: Conversation, portal: DemoPortal) -> None:
    dashes = "-" * 54
    said = {
        f"{dashes}\nСергей Волков [10:12]\nДа, [b]до среды[/b]\n{dashes}\nЛучше раньше": {
            "text": "Лучше раньше",
            "quote": "Сергей Волков: Да, до среды",
        },
        ">> Готово\n>> совсем\nСпасибо": {"text": "Спасибо", "quote": "Готово / совсем"},
        "[QUOTE]a\nb[/QUOTE]\nc": {"text": "c", "quote": "a / b"},
        "[USER=1]Анна[/USER], [USER=9 REPLACE]Сергей[/USER]": {
            "text": "@you, @Сергей",
            "mentions_you": True,
        },
        "План: [URL=https://docs.example/plan]таблица[/URL], [URL]https://x.example[/URL]": {
            "text": "План: таблица (https://docs.example/plan), https://x.example"
        },
        "[s]завтра[/s] сегодня": {"text": "~~завтра~~ сегодня"},
        "Итоги:\n[LIST]\n[*]раз\n[*]два\n[/LIST]": {"text": "Итоги: / - раз / - два"},
        "[CALL=+7495]позвонить[/CALL] [SEND=/fix]Исправить[/SEND]": {"text": "позвонить Исправить"},
    }
    first = post(portal, "chat1201", "begin")
    for one in said:
        post(portal, "chat1201", one)
    async with converse(toolsets=SETS) as client:
        page = await read(client)
    rows = [row for row in page["messages"] if row["id"] > first]
    kept = ("text", "quote", "mentions_you")
    assert [{name: row[name] for name in kept if name in row} for row in rows] == list(said.values())


async def test_files_calls_edits_and_deleted_messages_are_told(
    converse: Conversation, portal: DemoPortal
) -> None:
    post(portal, "chat1201", "see", file=file_object(5, "plan.pdf"))
    post(portal, "chat1201", "")
    post(portal, "chat1201", "14 min.", params={"COMPONENT_ID": "CallMessage"})
    post(portal, "chat1201", "now", params={"IS_EDITED": "Y"})
    post(portal, "chat1201", "joined", author=0)
    async with converse(toolsets=SETS) as client:
        result = await client.call_tool("read_chat", {"dialog_id": "chat1201", "limit": 5})
    attached, deleted, call, edited, system = facts(result)["messages"]
    assert attached["files"] == ["plan.pdf"]
    assert deleted["deleted"]
    assert "text" not in deleted
    assert call["call"]
    assert edited["edited"]
    assert "author" not in system
    assert "file “plan.pdf”" in text(result)


async def test_an_open_line_has_a_sentence_of_its_own(converse: Conversation) -> None:
    async with converse(toolsets=SETS) as client:
        refused = await client.call_tool("read_chat", {"dialog_id": "chat1209"})
        stranger = await client.call_tool("read_chat", {"dialog_id": "chat999999"})
    assert text(refused).startswith(
        "OPEN_LINE: Bitrix24's REST API gives nobody the messages of an open-line"
    )
    assert text(stranger).startswith("ACCESS_ERROR: ")


async def test_a_page_of_gibberish_stays_below_8000_tokens_and_says_what_is_left_out(
    converse: Conversation, portal: DemoPortal
) -> None:
    for number in range(50):
        post(portal, "chat1201", f"{number} " + "ѪѮ𝔛ꙮ" * 900)
    ids: list[int] = []
    notes: set[str] = set()
    async with converse(toolsets=SETS) as client:
        before, more = 0, True
        while more:
            arguments: dict[str, object] = {"dialog_id": "chat1201", "limit": 50, "before": before}
            result = await client.call_tool("read_chat", arguments)
            page = facts(result)
            assert count(text(result)) <= 8000
            assert count_json(page) <= 8000
            ids = [row["id"] for row in page["messages"]] + ids
            notes |= {note.partition(",")[0] for note in page["notes"]}
            before = page.get("before", 0)
            more = before > 0
    assert "long messages shortened" in notes
    assert len(ids) == len(set(ids)) > 50


async def test_a_long_message_is_shortened_and_the_answer_says_so(
    converse: Conversation, portal: DemoPortal
) -> None:
    post(portal, "chat1201", "[b]" + "x" * 1490 + "[/b]")
    async with converse(toolsets=SETS, limits={"cache": 0}) as client:
        assert "long messages shortened" not in (await read(client, limit=1))["notes"]
        post(portal, "chat1201", "слово " * 1000)
        page = await read(client, limit=1)
        found = facts(await client.call_tool("search_chat", {"dialog_id": "chat1201", "query": "слово"}))
    assert page["messages"][0]["text"].endswith("…")
    assert "long messages shortened" in page["notes"]
    assert "long messages shortened" in found["notes"]


async def test_a_message_costs_at_most_45_tokens_beside_its_words(converse: Conversation) -> None:
    async with converse(toolsets=SETS) as client:
        result = await client.call_tool("read_chat", {"dialog_id": "chat1201", "limit": 50})
    lines = [line for line in text(result).split("\n")[1:] if line != UNREAD]
    for row, line in zip(facts(result)["messages"], lines, strict=True):
        words = count(row.get("text", "") + row.get("quote", "") + "".join(row.get("files", [])))
        assert count_json(row) + 1 - words <= 45, row
        assert count(line + "\n") - words <= 45, line


@pytest.mark.parametrize("gaps", [False, True])
async def test_messages_that_cannot_be_understood_are_counted(
    converse: Conversation, portal: DemoPortal, *, gaps: bool
) -> None:
    """A list with gaps is an object in PHP."""
    good: dict[str, object] = {
        "id": "7",
        "author_id": "9",
        "date": None,
        "text": "hello",
        "params": [],
        "unread": "Y",
    }
    odd: list[object] = [None, {"id": 0}, "x", {"id": {}}, {**good, "id": True}]
    messages = [*odd, good]
    listed = {str(place * 2): message for place, message in enumerate(messages)} if gaps else messages
    users = {"9": {"id": 9, "name": 5}}
    history = {"chat_id": 5, "messages": listed, "users": users, "files": ""}
    portal.fail("im.dialog.messages.get", Fault(body={"result": history}))
    async with converse(toolsets=SETS) as client:
        page = await read(client)
    assert [row["id"] for row in page["messages"]] == [7]
    assert page["messages"][0]["author"] == "(unnamed)"
    assert "messages left out as unreadable: 5" in page["notes"]


async def test_a_search_says_what_span_was_searched_and_pages_without_gaps(
    converse: Conversation, long_chat: str
) -> None:
    found: list[str] = []
    async with converse(toolsets=SETS) as client:
        arguments: dict[str, object] = {
            "dialog_id": long_chat,
            "query": "MESSAGE",
            "since": "2026-11-01T00:00:00Z",
        }
        cursor = 0
        while True:
            page = facts(await client.call_tool("search_chat", {**arguments, "cursor": cursor}))
            found += [row["text"] for row in page["messages"]]
            assert page["searched"].startswith("from 2026-11-01T03:00+03:00")
            cursor = page.get("next_cursor", 0)
            if not cursor:
                break
        everything = facts(await client.call_tool("search_chat", {"dialog_id": long_chat, "query": "ge 11"}))
        none = facts(
            await client.call_tool(
                "search_chat", {"dialog_id": long_chat, "query": "message", "until": "2020-01-01T00:00:00Z"}
            )
        )
    assert found == [f"message {number}" for number in reversed(range(120))]
    assert everything["searched"] == "the whole chat"
    assert everything["shown"] == 11
    assert none["shown"] == 0


@pytest.mark.parametrize("query", ["", "ab", "  a  "])
async def test_a_search_needs_three_characters(
    converse: Conversation, portal: DemoPortal, query: str
) -> None:
    async with converse(toolsets=SETS) as client:
        refused = await client.call_tool("search_chat", {"dialog_id": "chat1201", "query": query})
    assert text(refused).startswith("INVALID_ARGUMENT: query needs 3 characters at least")
    assert not portal.requests


async def test_sql_wildcards_in_a_search_stand_for_themselves(
    converse: Conversation, portal: DemoPortal, long_chat: str
) -> None:
    post(portal, long_chat, "скидка 50% сразу")
    async with converse(toolsets=SETS) as client:
        page = facts(await client.call_tool("search_chat", {"dialog_id": long_chat, "query": "50%"}))
        wild = facts(await client.call_tool("search_chat", {"dialog_id": long_chat, "query": "m_ss%"}))
    assert [row["text"] for row in page["messages"]] == ["скидка 50% сразу"]
    assert wild["shown"] == 0


@pytest.mark.parametrize("dialog_id", ["7", "sg1"])
async def test_a_person_and_a_workgroup_can_be_searched(portal: DemoPortal, dialog_id: str) -> None:
    async with connected(portal, toolsets=SETS) as client:
        result = await client.call_tool("search_chat", {"dialog_id": dialog_id, "query": "догов"})
    if dialog_id == "sg1":
        assert text(result).startswith("ACCESS_ERROR: ")
    else:
        assert facts(result)["shown"] >= 1
