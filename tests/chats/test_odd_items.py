"""Whatever the portal puts into a list, the list is told: odd items cost nothing but themselves."""

import copy
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from hypothesis import given, settings
from hypothesis import strategies as st
from support.conversation import connected, facts, raw, text

CLOCK = 1_795_275_000.0
Path = tuple[str | int, ...]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [10**30, -(10**400), 1e308, 0.5, "", "0", "٣", "x" * 5000, [], {}, [None], [[]], {"": 0}]
    ),
    st.sampled_from(["2026-11-21T18:30:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]),
    st.sampled_from(
        ["chat" + "9" * 5000, "notify", "CHAT7", "chat007", " chat7", "-7", 7.0, "sg12", "crm|7"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.dictionaries(st.sampled_from(["id", "text", "name", "url", "type"]), st.integers(), max_size=3),
)
# Which item, which of its values, what stands there instead; MISSING takes the value away.
MISSING = object()
DAMAGE = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), JUNK | st.just(MISSING)), max_size=30
)


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    if above:
        yield above
    if isinstance(value, dict):
        for key, below in cast("dict[str, Any]", value).items():
            yield from paths(below, (*above, key))


def put(item: dict[str, Any], path: Path, value: object) -> None:
    inside: Any = item
    for key in path[:-1]:
        inside = inside[key]
    if value is MISSING:
        inside.pop(path[-1])
    else:
        inside[path[-1]] = value


def office() -> DemoPortal:
    return DemoPortal(clock=lambda: CLOCK)


def understood(item: object) -> bool:
    """Tell whether an item names a chat, as the portal's documentation has it."""
    name: object = cast("dict[str, object]", item).get("id") if isinstance(item, dict) else None
    name = int(name) if isinstance(name, float) and name.is_integer() else name
    if isinstance(name, bool) or not isinstance(name, int | str):
        return False
    digits = str(name).lower().removeprefix("chat").removeprefix("sg")
    return digits.isascii() and digits.isdigit() and digits[0] != "0" and len(digits) <= 12


@settings(max_examples=30)
@given(damage=DAMAGE, more=st.lists(JUNK, max_size=5), extra=JUNK)
async def test_a_list_never_fails_and_every_item_is_listed_or_counted(
    damage: list[tuple[int, int, object]], more: list[object], extra: object
) -> None:
    portal = office()
    items: list[Any] = [{**item, "brand_new": extra} for item in await raw(portal) if item]
    for which, where, junk in damage:
        item = items[which % len(items)]
        places = list(paths(item))
        put(item, places[where % len(places)] if places else ("id",), junk if places else 5)
    portal.override([*items, *more])
    async with connected(portal, limits={"cache": 0}) as client:
        result = await client.call_tool("list_recent_chats", {"limit": 200, "detail": "full"})
    page = facts(result)
    everything: list[Any] = [*items, *more]
    strange = [item for item in everything if not understood(item)]
    chats = {str(item["id"]).lower().removesuffix(".0") for item in everything if understood(item)}
    assert page["total"] == len(chats)
    told = [note for note in page["notes"] if "unreadable" in note]
    assert told == [] if not strange else told[0].startswith(f"items left out as unreadable: {len(strange)} ")


WRONG: list[Any] = [None, [[]], {"a": {}}, 10**400, -1, "\x00", MISSING]
FIELDS = [
    ("title", "title"),
    ("counter", "unread"),
    ("unread", "marked_unread"),
    ("pinned", "pinned"),
    ("chat.user_counter", "members"),
    ("chat.role", "role"),
    ("chat.owner", "owner"),
    ("chat.date_create", "created"),
    ("chat.mute_list", "muted"),
    ("chat.entity_link", "link"),
    ("message.text", "last_text"),
    ("message.file", "file"),
    ("user.work_position", "position"),
]


@pytest.mark.parametrize(("wire", "field"), FIELDS, ids=[wire for wire, _ in FIELDS])
async def test_a_value_of_a_wrong_type_costs_its_own_field_only(wire: str, field: str) -> None:
    portal = office()
    items = [item for item in await raw(portal) if item and item["chat"].get("role")]
    sound = max(items, key=lambda one: (bool(one["chat"]["entity_link"]["url"]), one["counter"]))
    sound["message"]["file"] = {"id": 1}
    damaged = [{**copy.deepcopy(sound), "id": f"chat{number}"} for number in range(1, len(WRONG) + 1)]
    for item, junk in zip(damaged, WRONG, strict=True):
        put(item, tuple(wire.split(".")), junk)
    portal.override([sound, *damaged])
    async with connected(portal) as client:
        page = facts(await client.call_tool("list_recent_chats", {"detail": "full"}))
    expected, *rows = ({**row, field: None, "dialog_id": ""} for row in page["chats"])
    assert rows == [expected] * len(WRONG)


async def test_odd_items_are_named_by_id_or_by_number() -> None:
    portal = office()
    strange = [None, {"id": "notify"}, {"id": "a; 99 unread\nx"}, {"id": 5.5}, {"id": "n" * 25}]
    portal.override([*strange, {"id": 7, "title": "Seven"}])
    async with connected(portal, limits={"cache": 0}) as client:
        result = await client.call_tool("list_recent_chats")
    said = "items left out as unreadable: 5 (no. 1, notify, no. 3, 5.5, no. 5)"
    assert said in facts(result)["notes"]
    assert said in text(result)


async def test_numbers_may_come_with_a_fraction_of_zero_or_as_text() -> None:
    portal = office()
    client_waits = {"chat": {"type": "lines"}, "user": {"connector": True}}
    portal.override(
        [
            {"id": 7.0, "title": "Seven", "counter": 3.0},
            {"id": "chat8", "title": "Answered", **client_waits, "lines": {"status": "40"}},
            {"id": "chat9", "title": "Waits", **client_waits, "lines": {"status": 20.0}},
        ]
    )
    async with connected(portal, limits={"cache": 0}) as client:
        page = facts(await client.call_tool("list_recent_chats"))
        waiting = facts(await client.call_tool("list_recent_chats", {"show": "attention"}))
    assert (page["total"], page["unread"], page["chats"][0]["dialog_id"]) == (3, 3, "7")
    assert [chat["title"] for chat in waiting["chats"]] == ["Waits"]


@pytest.mark.parametrize("method", ["im.recent.get", "im.recent.list"])
async def test_a_list_with_gaps_is_read_which_php_writes_as_an_object(method: str) -> None:
    portal = office()
    (person, *_) = [item for item in await raw(portal) if item and item["type"] == "user"]
    rows = {"0": {**person, "id": 7, "pinned": True}, "2": {**person, "id": 9, "pinned": True}}
    portal.override([])
    portal.fail(method, Fault(body={"result": rows if method == "im.recent.get" else {"items": rows}}))
    async with connected(portal, limits={"cache": 0}) as client:
        page = facts(await client.call_tool("list_recent_chats", {"show": "pinned"}))
    assert [chat["dialog_id"] for chat in page["chats"]] == ["7", "9"]


async def test_an_object_that_is_no_list_is_an_error() -> None:
    portal = office()
    portal.fail("im.recent.get", Fault(body={"result": {"items": []}}))
    async with connected(portal) as client:
        result = await client.call_tool("list_recent_chats")
    assert text(result).startswith("UNCLEAR_ANSWER: ")


async def test_false_in_place_of_the_list_says_that_the_portal_knows_no_such_user() -> None:
    portal = office()
    portal.fail("im.recent.get", Fault(body={"result": False}))
    async with connected(portal) as client:
        result = await client.call_tool("list_recent_chats")
    assert text(result).startswith("AUTHORIZATION_ERROR: The portal cannot authorise the user")


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\xef\xbb\xbf", b"\r\n"])
async def test_byte_order_marks_before_an_answer_cost_nothing(head: bytes) -> None:
    portal = office()
    portal.fail("im.recent.get", Fault(body=head + b'{"result":[' + GOOD.encode() + b"]}"))
    async with connected(portal) as client:
        page = facts(await client.call_tool("list_recent_chats"))
    assert [chat["dialog_id"] for chat in page["chats"]] == ["chat1"]


async def test_an_error_whose_code_is_in_an_object_is_told_by_that_code() -> None:
    portal = office()
    error = {"code": "BITRIX_REST_V3_EXCEPTION_SOMETHING", "message": "Something"}
    portal.fail("im.recent.get", Fault(status=400, body={"error": error}))
    async with connected(portal) as client:
        result = await client.call_tool("list_recent_chats")
    assert text(result).startswith("BITRIX_REST_V3_EXCEPTION_SOMETHING: ")
    assert text(result).endswith('The portal said: "Something"')


async def test_a_thousand_chats_are_listed_in_full() -> None:
    portal = office()
    (item, *_) = await raw(portal)
    portal.override([{**item, "id": f"chat{number}"} for number in range(1, 1001)])
    async with connected(portal, limits={"cache": 0}) as client:
        page = facts(await client.call_tool("list_recent_chats", {"limit": 5}))
    assert page["total"] == 1000


async def test_a_chat_that_comes_twice_is_listed_once() -> None:
    portal = office()
    portal.override([{"id": 7, "title": "A"}, {"id": "7", "title": "B"}, {"id": "CHAT7", "title": "C"}])
    async with connected(portal, limits={"cache": 0}) as client:
        page = facts(await client.call_tool("list_recent_chats"))
    assert [chat["dialog_id"] for chat in page["chats"]] == ["7", "chat7"]


GOOD = '{"id":"chat1","title":"Good"}'
DAMAGED = {
    "half an emoji": rb'{"id":"chat2","title":"a \ud83d b"}',
    "its other half": rb'{"id":"chat2","title":"a b","message":{"text":"\udc4d"}}',
    "half an emoji where nobody looks": rb'{"id":"chat2","title":"a b","x":"\ud83d"}',
    "a broken character": b'{"id":"chat2","title":"a \xff\xfe b"}',
    "a surrogate in UTF-8": b'{"id":"chat2","title":"a \xed\xa0\xbd b"}',
    "a control character": b'{"id":"chat2","title":"a\x01\n b"}',
    "not a number": b'{"id":"chat2","title":"a b","counter":NaN}',
    "infinity": b'{"id":"chat2","title":"a b","counter":-Infinity}',
    "a number beyond all numbers": b'{"id":"chat2","title":"a b","counter":1e400}',
    "an integer of 5,000 digits": b'{"id":"chat2","title":"a b","counter":' + b"9" * 5000 + b"}",
    "a key twice": b'{"id":"chat3","id":"chat2","title":"a b"}',
    "500 lists in each other": b'{"id":"chat2","title":"a b","x":' + b"[" * 500 + b"]" * 500 + b"}",
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
async def test_damage_in_one_item_costs_neither_the_list_nor_the_item(damaged: bytes) -> None:
    portal = office()
    body = b'{"result":[' + GOOD.encode() + b"," + damaged + b'],"time":{"date_finish":"\\ud83d"}}'
    portal.fail("im.recent.get", Fault(body=body))
    async with connected(portal, limits={"cache": 0}) as client:
        page = facts(await client.call_tool("list_recent_chats"))
    assert [chat["dialog_id"] for chat in page["chats"]] == ["chat1", "chat2"]
    assert page["chats"][1]["title"].startswith("a")
    assert page["chats"][1]["title"].endswith("b")


@pytest.mark.parametrize(
    "time",
    ['"2026-11-21T18:30:00"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-12:00"', "[]", "5", '""'],
)
async def test_a_portal_without_a_usable_clock_is_asked_by_ours(time: str) -> None:
    portal = office()
    portal.fail("im.recent.get", Fault(body=f'{{"result":[{GOOD}],"time":{{"date_finish":{time}}}}}'))
    async with connected(portal, limits={"cache": 0}) as client:
        page = facts(await client.call_tool("list_recent_chats"))
    assert page["as_of"].startswith("20")
    assert page["as_of"].endswith("+00:00")


@pytest.mark.parametrize(
    "broken", [b'{"result":[{"id":"chat1"', b'{"result":' + b"[" * 10**5, b'{"a":\\x41}']
)
async def test_what_is_no_json_at_all_is_an_error_and_not_a_short_list(broken: bytes) -> None:
    portal = office()
    portal.fail("im.recent.get", Fault(body=broken))
    async with connected(portal, limits={"attempts": 1}) as client:
        result = await client.call_tool("list_recent_chats")
    assert result.is_error
    assert text(result).startswith("BROKEN_JSON: ")


def test_junk_is_such_that_json_can_carry_it() -> None:
    """Or else the tests above would test the demo portal."""
    assert json.loads(json.dumps([10**30, 1e308, "٣"])) == [10**30, 1e308, "٣"]
