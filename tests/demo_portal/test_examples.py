"""The documented requests get answers of the documented shape: the same keys, values of the same types."""

import json
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from bitrix24_demo_portal import DemoPortal

from .conftest import Call

_AROUND = Path(__file__).parents[3:5]  # a checkout's neighbours, and a worktree's
EXAMPLES = next(
    (found for place in _AROUND if (found := place / "shared" / "examples").is_dir()), Path("absent")
)

pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the documented answers are not part of this repository"
)

REQUESTS: dict[str, dict[str, object]] = {
    "im.recent.pin": {"DIALOG_ID": "chat1217", "PIN": "Y"},
    "im.recent.unread": {"DIALOG_ID": "chat1217", "ACTION": "Y"},
    "im.recent.hide": {"DIALOG_ID": "chat1217"},
    "im.chat.mute": {"CHAT_ID": 1217, "MUTE": "Y"},
    "im.dialog.get": {"DIALOG_ID": "chat1205"},
    "im.dialog.read": {"DIALOG_ID": "chat1201"},
    "im.dialog.read.all": {},
    "im.dialog.unread": {"DIALOG_ID": "chat1217", "MESSAGE_ID": 80001},
    "im.counters.get": {},
    "im.dialog.messages.get": {"DIALOG_ID": "chat1221"},
    "im.search.chat.list": {"FIND": "группа"},
    "profile": {},
    "scope": {},
    "server.time": {},
}


def documented(name: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


_FREE = (
    ".params",
    ".phones",
    ".birthday",
    ".absent",
)  # objects of optional keys, and values that may be false


def differences(expected: object, actual: object, path: str = "") -> list[str]:
    """Give what is missing or of another type, by path; what PHP makes an empty list counts as an object."""
    if path.endswith(_FREE) or expected in (None, [], {}) or actual in (None, [], {}):
        return []
    if isinstance(expected, dict):
        return _of_objects(cast("dict[str, object]", expected), actual, path)
    if isinstance(expected, list) and isinstance(actual, list):
        first, ours = cast("list[object]", expected)[0], cast("list[object]", actual)[0]
        return differences(first, ours, f"{path}[]")
    kinds = _kind(cast("object", expected)), _kind(actual)
    return [] if kinds[0] == kinds[1] else [f"{path}: {kinds[0]} became {kinds[1]}"]


def _kind(value: object) -> str:
    return "number" if isinstance(value, float) or type(value) is int else type(value).__name__


def _of_objects(expected: dict[str, object], actual: object, path: str) -> list[str]:
    if not isinstance(actual, dict):
        return [f"{path}: no object"]
    actual = cast("dict[str, object]", actual)
    if expected and all(key.isdigit() for key in expected):  # keyed by ids
        return differences(next(iter(expected.values())), next(iter(actual.values())), f"{path}.*")
    missing = [f"{path}.{key} is missing" for key in expected.keys() - actual.keys()]
    inner = [
        differences(expected[key], actual[key], f"{path}.{key}") for key in expected.keys() & actual.keys()
    ]
    return sum(inner, missing)


@pytest.mark.parametrize("method", REQUESTS)
async def test_answers_have_the_documented_shape(call: Call, method: str) -> None:
    assert differences(documented(method), await call(method, **REQUESTS[method])) == []


def like(item: dict[str, Any], items: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Find the item of ours that is of the documented one's kind."""
    same = (
        other
        for other in items
        if other
        and other["chat"].get("type") == item["chat"].get("type")
        and ("id" in item["user"]) == ("id" in other["user"])
        and len(item["user"]) == len(other["user"])
        and other["type"] == item["type"]
    )
    return next(same)


async def test_items_of_the_recent_list(call: Call) -> None:
    items = (await call("im.recent.get"))["result"]
    for item in documented("im.recent.get")["result"]:
        ours = like(item, items)
        assert differences(item, ours) == []
        for part in ("chat", "message"):
            assert ours.keys() == item.keys()
            assert ours[part].keys() == item[part].keys()


async def test_pages_of_the_recent_list(call: Call) -> None:
    expected, ours = documented("im.recent.list"), await call("im.recent.list")
    assert expected["result"].keys() <= ours["result"].keys()
    assert expected["total"] == ours["total"]
    items = ours["result"].pop("items")
    for item in expected["result"].pop("items"):
        assert differences(item, like(item, items)) == []
        assert like(item, items)["user"].keys() == item["user"].keys()
        assert like(item, items)["chat"].keys() == item["chat"].keys()


async def test_people_that_were_found(call: Call) -> None:
    expected, ours = documented("im.search.user.list"), await call("im.search.user.list", FIND="кузнецова")
    assert differences(expected, ours) == []
    (documented_person,) = expected["result"].values()
    (person,) = ours["result"].values()
    assert documented_person.keys() == person.keys()


async def test_batches_with_and_without_errors(call: Call, portal: DemoPortal) -> None:
    commands = {"get_user": "user.current", "get_department": "im.search.chat.list?FIND=abc"}
    expected = documented("batch")
    expected["result"]["result"].pop("get_department")
    assert differences(expected, await call("batch", cmd=commands)) == []
    portal.scopes = ()
    for name, halt in (("batch.2", 0), ("batch.3", 1)):
        expected = documented(name)["result"]
        ours = (await call("batch", cmd=commands, halt=halt))["result"]
        assert ours == expected


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("im.recent.pin", {}),
        ("im.recent.unread", {}),
        ("im.recent.hide", {}),
        ("im.chat.mute", {}),
        ("im.dialog.get", {}),
        ("im.dialog.read", {}),
        ("im.dialog.messages.get", {}),
        ("im.dialog.unread", {}),
        ("im.search.chat.list", {"FIND": "a"}),
        ("im.search.user.list", {"FIND": "a"}),
        ("app.info", {}),
    ],
)
async def test_errors_are_the_documented_ones(
    call: Call, portal: DemoPortal, name: str, params: dict[str, str]
) -> None:
    portal.statuses = "docs"
    assert await call(name, **params) == documented(f"{name}.error")


@pytest.mark.parametrize("name", ["im.recent.get", "im.recent.list", "im.counters.get", "im.dialog.read.all"])
async def test_wrong_credentials_are_the_documented_error(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.post(f"https://demo.bitrix24.example/rest/1/wrong/{name}")
    assert answer.json() == documented(f"{name}.error")


async def test_tokens_have_the_documented_shape(client: httpx.AsyncClient, portal: DemoPortal) -> None:
    fields = {"client_id": portal.client_id, "client_secret": portal.client_secret}
    code = {"grant_type": "authorization_code", "code": portal.code(), **fields}
    refresh = {"grant_type": "refresh_token", "refresh_token": portal.token().refresh, **fields}
    for name, form in (("oauth.token", code), ("oauth.refresh", refresh)):
        ours = (await client.post("https://demo.bitrix24.example/oauth/token/", data=form)).json()
        assert differences(documented(name), ours) == []
        assert ours.keys() == documented(name).keys()
    portal.unpaid = True
    refused = await client.post("https://demo.bitrix24.example/oauth/token/", data=refresh)
    assert refused.json() == documented("oauth.refresh.error")


async def test_an_application_asks_about_itself(client: httpx.AsyncClient, portal: DemoPortal) -> None:
    answer = await client.get(
        "https://demo.bitrix24.example/rest/app.info", params={"auth": portal.token().access}
    )
    assert differences(documented("app.info"), answer.json()) == []
