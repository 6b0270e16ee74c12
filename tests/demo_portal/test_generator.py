"""What lies in the portal: as many chats as asked for, the same for a seed, of every known shape."""

import json
import math
import re
from typing import Any

import httpx
import pytest
from bitrix24_demo_portal import ChatFixture, DemoPortal
from support.transport import ASGITransport

from .conftest import NOW, Call


async def recent(portal: DemoPortal, user: int = 1) -> list[dict[str, Any] | None]:
    async with httpx.AsyncClient(transport=ASGITransport(portal), base_url=portal.webhook(user)) as client:
        return (await client.get("im.recent.get")).json()["result"]


def office(**settings: Any) -> DemoPortal:
    return DemoPortal(clock=lambda: NOW, **settings)


@pytest.mark.parametrize("chats", [0, 1, 15, 40])
async def test_there_are_exactly_as_many_items_as_asked_for(chats: int) -> None:
    items = await recent(office(chats=chats))
    assert len([item for item in items if item]) == chats


@pytest.mark.parametrize("chats", [57, 300])
async def test_a_larger_office_has_a_queue_on_top(chats: int) -> None:
    items = [item for item in await recent(office(chats=chats)) if item]
    regular = [item for item in items if "last_id" in item]
    assert len(items) - len(regular) == 1
    assert len(regular) == chats + 1, "the chat that waits in the queue is in the list as well"


async def test_a_seed_gives_the_same_office_and_another_seed_another() -> None:
    assert await recent(office(chats=80)) == await recent(office(chats=80))
    assert await recent(office(chats=80)) != await recent(office(chats=80, seed=2))
    assert office().webhook() != office(seed=2).webhook()


def test_a_portal_generates_nothing_until_it_is_asked() -> None:
    portal = DemoPortal(chats=5000)
    assert "world" not in vars(portal)
    assert len(portal.world.chats) > 5000


async def test_the_first_rows_are_a_pleasant_morning() -> None:
    rows = [item for item in (await recent(office()))[:15] if item]
    texts = " ".join(f"{item['title']} {item['message']['text']}" for item in rows)
    assert [item["pinned"] for item in rows] == [True] * 3 + [False] * 12
    assert sum(1 for item in rows if item["counter"]) >= 5
    assert len(re.findall(r"[а-яё]", texts)) > 3 * len(re.findall(r"[a-z]", texts))
    assert all(character.isprintable() for character in texts)
    assert re.search(r"instruction|ignore|system", texts, re.IGNORECASE) is None


async def test_every_kind_of_chat_is_there(portal: DemoPortal) -> None:
    items = [item for item in await recent(portal) if item]
    kinds = {item["chat"].get("type", "user") for item in items}
    assert kinds >= {
        *("user", "chat", "open", "general", "channel", "openChannel", "generalChannel", "copilot", "collab"),
        *("lines", "crm", "call", "calendar", "mail", "tasks", "tasksTask", "sonetGroup", "videoconf"),
        *("announcement", "support24Notifier", "thread"),
    }
    letters = {item["chat"].get("message_type", "P") for item in items}
    assert letters == set("POCLNJBAX")
    people = {item["user"]["type"] for item in items if item["user"] and item["user"].get("id")}
    assert people >= {"user", "bot", "extranet", "collaber"}


@pytest.mark.parametrize(
    "pattern",
    [
        r"ignore all previous instructions",
        r"ИИ-ассистент",
        "\t",
        "\u202e",
        "\u200b",
        "\u2066",
        "\U000e0041",
        "\x1b\\[",
        "\u200d",
        r"https://[^ ]+/rest/1/\w{16}/",
        r"</tool_result>",
        "\u2028",
        r"x{255}",
    ],
    ids=ascii,
)
async def test_the_red_team_has_written_too(portal: DemoPortal, pattern: str) -> None:
    items = [item for item in await recent(portal) if item]
    assert re.search(
        pattern, json.dumps(items, ensure_ascii=False).replace("\\t", "\t").replace("\\u001b", "\x1b")
    )
    first = json.dumps(items[:15], ensure_ascii=False)
    assert re.search(pattern, first) is None


async def test_a_large_office_is_of_a_realistic_size() -> None:
    portal = office(chats=1500)
    async with httpx.AsyncClient(transport=ASGITransport(portal), base_url=portal.webhook()) as client:
        body = (await client.get("im.recent.get")).content
    assert 1_000 < len(body) / 1500 < 2_700


async def test_raw_items_can_take_the_lists_place(portal: DemoPortal, call: Call) -> None:
    raw: list[object] = [{"id": "chat5", "anything": [None, 1.5, {}]}, None, 7, "x", []]
    portal.override(raw)
    assert (await call("im.recent.get"))["result"] == raw
    body = await call("im.recent.list", LIMIT=2, OFFSET=2, SKIP_OPENLINES="Y")
    assert (body["result"]["items"], body["result"]["hasMore"], body["next"]) == ([7, "x"], True, 4)
    assert await recent(portal, 5) != raw, "other users keep theirs"


async def test_one_more_chat_can_be_set_up_at_any_time(portal: DemoPortal, call: Call) -> None:
    dialog = portal.add_chat(
        ChatFixture("chat", "volkov", "Ещё один", "да", unread=2, muted=True, marked=True)
    )
    item = next(item for item in (await call("im.recent.get"))["result"] if item and item["id"] == dialog)
    assert (item["title"], item["counter"], item["unread"]) == ("Ещё один", 2, True)
    assert item["chat"]["mute_list"] == {"1": True}
    with pytest.raises(LookupError):
        portal.say("chat999999", 9, "никому")


async def test_dates_go_back_from_the_construction_of_the_portal() -> None:
    now = NOW
    portal = DemoPortal(clock=lambda: now, rate=math.inf)
    now += 1000
    first = (await recent(portal))[0]
    assert first
    assert first["date_update"] == "2026-11-21T14:56:00+03:00"
