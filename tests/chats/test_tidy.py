"""What has no undo asks the user first: hiding a chat, and marking everything as read."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from bitrix24_chat_mcp.logs import AUDIT
from bitrix24_demo_portal import DemoPortal, Fault
from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult
from support.conversation import Conversation, facts, text

SETS = ["tidy", "marks"]
PERSON = {"dialog_id": "7"}


@dataclass
class User:
    """A user who is asked; `meanwhile` happens before the first answer."""

    action: Literal["accept", "decline", "cancel"] = "accept"
    proceed: bool = True
    meanwhile: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list[str])

    async def __call__(self, context: object, params: ElicitRequestParams) -> ElicitResult:
        del context
        if not self.asked:
            self.meanwhile()
        self.asked.append(params.message)
        content: dict[str, Any] | None = {"proceed": self.proceed} if self.action == "accept" else None
        return ElicitResult(action=self.action, content=content)


async def listed(client: Client) -> dict[str, dict[str, Any]]:
    found = facts(await client.call_tool("list_recent_chats", {"limit": 200}))
    return {row["dialog_id"]: row for row in found["chats"]}


def calls(portal: DemoPortal, method: str) -> int:
    return sum(request.method == method for request in portal.requests)


async def test_hiding_asks_with_what_is_lost_and_hides(converse: Conversation, portal: DemoPortal) -> None:
    user = User()
    async with converse(toolsets=SETS, asked=user) as client:
        result = await client.call_tool("hide_chat", PERSON)
        assert "7" not in await listed(client)
    (question,) = user.asked
    assert question.startswith(
        "Hide “Мария Кузнецова” (7) from the chat list? That marks its 2 unread messages"
    )
    assert "no undo" in question
    assert facts(result) == {
        "dialog_id": "7",
        "title": "Мария Кузнецова",
        "hidden": True,
        "marked_read": 2,
        "notes": ["no undo"],
    }
    assert calls(portal, "im.recent.hide") == 1


@pytest.mark.parametrize("user", [User("decline"), User("cancel"), User(proceed=False)], ids=str)
@pytest.mark.parametrize("tool", ["hide_chat", "mark_all_read"])
async def test_a_no_is_an_answer_and_nothing_is_done(
    converse: Conversation, portal: DemoPortal, tool: str, user: User
) -> None:
    async with converse(toolsets=SETS, asked=user) as client:
        result = await client.call_tool(tool, PERSON if tool == "hide_chat" else {})
        assert (await listed(client))["7"]["unread"] == 2
    assert not result.is_error
    assert facts(result)["declined"]
    assert text(result).startswith("The user said no: ")
    assert calls(portal, "im.recent.hide") == calls(portal, "im.dialog.read.all") == 0


async def test_a_no_is_declined_in_the_audit(
    converse: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", AUDIT):
        async with converse(toolsets=SETS, asked=User("decline")) as client:
            await client.call_tool("hide_chat", PERSON)
    outcomes = [json.loads(record.message)["outcome"] for record in caplog.records if record.name == AUDIT]
    assert outcomes[-1] == "declined"
    assert set(outcomes[:-1]) <= {"asked back"}


@pytest.mark.parametrize("tool", ["hide_chat", "mark_all_read"])
async def test_what_has_changed_since_the_question_is_asked_anew_or_refused(
    converse: Conversation, portal: DemoPortal, tool: str
) -> None:
    """A later client carries the question with it and is asked again; an earlier one has to call again."""
    user = User(meanwhile=lambda: portal.say(7, 7, "Ещё одно, срочно"))
    async with converse(toolsets=SETS, asked=user) as client:
        result = await client.call_tool(tool, PERSON if tool == "hide_chat" else {})
    if result.is_error:
        assert text(result).startswith("CHANGED_MEANWHILE: ")
        assert calls(portal, "im.recent.hide") == calls(portal, "im.dialog.read.all") == 0
    else:
        first, second = user.asked
        assert first != second


async def test_two_that_swap_are_a_change_too(converse: Conversation, portal: DemoPortal) -> None:
    """One message is read and another comes: the counts are the same, what is lost is not."""

    def swap() -> None:
        chat = portal.world.find(1, "7")
        assert chat
        chat.read[1] = chat.unread_by(1)[0].id
        portal.say(7, 7, "Новое")

    user = User(meanwhile=swap)
    async with converse(toolsets=SETS, asked=user) as client:
        result = await client.call_tool("hide_chat", PERSON)
    assert result.is_error or len(user.asked) == 2


@pytest.mark.parametrize(
    ("dialog_id", "code"),
    [
        ("chat1201", "PINNED"),
        (" CHAT1201", "PINNED"),
        ("1", "NOTES"),
        (1, "NOTES"),
        ("sg12", "NOT_HIDDEN"),
        ("SG012", "NOT_HIDDEN"),
        ("chat999999", "NOT_LISTED"),
    ],
    ids=repr,
)
async def test_what_may_not_be_hidden_is_refused_with_its_reason_and_nobody_is_asked(
    converse: Conversation, portal: DemoPortal, dialog_id: object, code: str
) -> None:
    user = User()
    async with converse(toolsets=SETS, asked=user) as client:
        refused = await client.call_tool("hide_chat", {"dialog_id": dialog_id})
    assert refused.is_error
    assert text(refused).startswith(f"{code}: "), text(refused)
    assert not user.asked
    assert not calls(portal, "im.recent.hide")


async def test_marking_all_read_names_how_many_messages_in_how_many_chats(
    converse: Conversation, portal: DemoPortal
) -> None:
    user = User()
    async with converse(toolsets=SETS, asked=user) as client:
        result = await client.call_tool("mark_all_read")
        assert not any(row.get("unread") for row in (await listed(client)).values() if row["kind"] == "group")
    (question,) = user.asked
    count = f"{facts(result)['messages']} unread messages in {facts(result)['chats']} chats"
    assert count in question
    assert "no undo" in facts(result)["notes"]
    assert calls(portal, "im.dialog.read.all") == 1


async def test_where_nothing_is_unread_nobody_is_asked(converse: Conversation, portal: DemoPortal) -> None:
    user = User()
    nothing: dict[str, object] = {"TYPE": {"ALL": 0}, "CHAT": [], "DIALOG": [], "CHAT_UNREAD": []}
    portal.fail("im.counters.get", Fault(body={"result": nothing}))
    async with converse(toolsets=SETS, asked=user) as client:
        result = await client.call_tool("mark_all_read")
    assert text(result) == "Nothing was unread, nothing changed"
    assert not user.asked
    assert not calls(portal, "im.dialog.read.all")


@pytest.mark.parametrize(
    ("tool", "method"), [("hide_chat", "im.recent.hide"), ("mark_all_read", "im.dialog.read.all")]
)
async def test_a_lost_answer_is_never_repeated_and_what_came_of_it_is_looked_up(
    converse: Conversation, portal: DemoPortal, tool: str, method: str
) -> None:
    portal.world.queues.clear()
    portal.fail(method, Fault(status=502, body="", performed=True))
    async with converse(toolsets=SETS, asked=User()) as client:
        result = await client.call_tool(tool, PERSON if tool == "hide_chat" else {})
    assert calls(portal, method) == 1
    if tool == "hide_chat":
        assert facts(result)["hidden"], text(result)


@pytest.mark.parametrize(
    ("tool", "method"), [("hide_chat", "im.recent.hide"), ("mark_all_read", "im.dialog.read.all")]
)
async def test_the_portal_s_false_is_an_error(
    converse: Conversation, portal: DemoPortal, tool: str, method: str
) -> None:
    portal.fail(method, Fault(body={"result": False}))
    async with converse(toolsets=SETS, asked=User()) as client:
        refused = await client.call_tool(tool, PERSON if tool == "hide_chat" else {})
    assert text(refused).startswith("NOT_DONE: The portal answered false"), text(refused)
    assert calls(portal, method) == 1


@pytest.mark.parametrize(
    ("tool", "method"), [("hide_chat", "im.recent.hide"), ("mark_all_read", "im.dialog.read.all")]
)
async def test_an_answer_lost_before_anything_was_done_is_an_error(
    converse: Conversation, portal: DemoPortal, tool: str, method: str
) -> None:
    portal.fail(method, Fault(status=502, body=""))
    async with converse(toolsets=SETS, asked=User()) as client:
        result = await client.call_tool(tool, PERSON if tool == "hide_chat" else {})
    assert result.is_error
    assert calls(portal, method) == 1


async def test_where_the_host_asks_the_server_does_not(converse: Conversation) -> None:
    async with converse(toolsets=SETS, confirm="host") as client:
        result = await client.call_tool("hide_chat", PERSON)
        assert facts(result)["hidden"]
        assert "7" not in await listed(client)


@pytest.mark.parametrize("content", [None, {"proceed": "perhaps"}, {"proceed": ["yes"]}], ids=str)
async def test_an_answer_that_is_neither_yes_nor_no_does_nothing(
    converse: Conversation, portal: DemoPortal, content: dict[str, Any] | None
) -> None:
    async def unclear(context: object, params: ElicitRequestParams) -> ElicitResult:
        del context, params
        return ElicitResult(action="accept", content=content)

    async with converse(toolsets=SETS, asked=unclear) as client:
        result = await client.call_tool("hide_chat", PERSON)
    assert text(result).startswith("UNCLEAR_CONFIRMATION: ")
    assert not calls(portal, "im.recent.hide")
