"""What waits for the user comes first, and each row says why."""

from datetime import UTC, datetime, timedelta

import pytest
from bitrix24_chat_mcp.chats.triage import PRESSING, rank
from bitrix24_chat_mcp.portal.api.models import Chat

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
SHORTLY = timedelta(minutes=30)
LONG = PRESSING + timedelta(days=2)


def chat(kind: str, age: timedelta | None = SHORTLY, name: str = "7", **facts: object) -> Chat:
    author = {} if "author" in facts or kind == "task" else {"author": "Anna"}
    at = NOW - age if age is not None else None
    return Chat(name, "A chat", kind, active_at=at, **{**author, **facts})  # pyright: ignore[reportArgumentType]


CLAIMS = [
    (chat("openline", client_waits=True), "a client has waited 30 min"),
    (chat("person", unread=2), "wrote to you directly, waiting 30 min"),
    (chat("group", marked_unread=True), "marked unread by hand"),
    (chat("person"), "you owe the answer, waiting 30 min"),
    (chat("group", unread=1), "unread for 30 min"),
    (chat("task", unread=1), "unread in a task for 30 min"),
]


@pytest.mark.parametrize(("waiting", "why"), CLAIMS, ids=[why for _, why in CLAIMS])
def test_a_claim_is_explained(waiting: Chat, why: str) -> None:
    assert rank([waiting], NOW) == [(waiting, why)]


def test_clients_come_before_people_and_people_before_groups_and_tasks() -> None:
    chats = [waiting for waiting, _ in CLAIMS]
    assert [one for one, _ in rank(chats[::-1], NOW)] == chats


NOTHING = [
    chat("person", mine=True),
    chat("person", LONG),
    chat("person", author=""),
    chat("openline"),
    chat("group"),
    chat("group", unread=5, muted=True),
    chat("task", unread=5, muted=True),
    chat("bot", unread=5),
    chat("channel", unread=5),
    chat("notes", unread=5),
    chat("copilot", unread=5),
]


@pytest.mark.parametrize(
    "silent",
    NOTHING,
    ids=[
        "the user wrote last",
        "a read message of long ago",
        "the system wrote, or an account that is gone",
        "a client who was answered",
        "a group that was read",
        "a muted group",
        "a muted task",
        "a bot",
        "a channel",
        "notes",
        "the assistant",
    ],
)
def test_these_claim_nothing(silent: Chat) -> None:
    assert rank([silent], NOW) == []


@pytest.mark.parametrize("kind", ["bot", "channel", "notes", "group", "task"])
def test_who_marked_a_chat_unread_wants_it_whatever_it_is(kind: str) -> None:
    (found,) = rank([chat(kind, marked_unread=True, muted=True)], NOW)
    assert found[1] == "marked unread by hand"


def test_a_muted_person_still_claims() -> None:
    assert len(rank([chat("person", unread=1, muted=True)], NOW)) == 1


def test_who_waits_longest_comes_first_and_what_presses_no_more_behind() -> None:
    ages = [timedelta(hours=1), timedelta(days=6), LONG, timedelta(minutes=1)]
    chats = [chat("person", age, unread=1) for age in ages]
    assert [one for one, _ in rank(chats, NOW)] == [chats[1], chats[0], chats[3], chats[2]]


def test_several_claims_count_as_the_most_pressing() -> None:
    (found,) = rank([chat("person", unread=1, marked_unread=True)], NOW)
    assert found[1].startswith("wrote to you directly")


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (timedelta(minutes=-5), "0 min"),
        (timedelta(seconds=59), "1 min"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(minutes=121), "2 h"),
        (timedelta(hours=47.9), "47 h"),
        (timedelta(hours=49), "2 d"),
        (timedelta(days=40), "40 d"),
        (None, "0 min"),
    ],
)
def test_the_wait_is_told_in_the_unit_that_fits(age: timedelta | None, told: str) -> None:
    (found,) = rank([chat("person", age, unread=1)], NOW)
    assert found[1] == f"wrote to you directly, waiting {told}"
