"""batch: many commands, one request."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from bitrix24_demo_portal import DemoPortal, Fault

from .conftest import Call

NOTHING: dict[str, object] = {
    "result": [],
    "result_error": [],
    "result_total": [],
    "result_next": [],
    "result_time": [],
}


async def batch(call: Call, cmd: object, **more: object) -> dict[str, Any]:
    return (await call("batch", cmd=cmd, **more))["result"]


async def test_five_parts_each_an_empty_list_when_empty(call: Call) -> None:
    assert await batch(call, {}) == NOTHING
    assert await batch(call, None) == NOTHING


async def test_a_map_gives_a_map_and_a_list_gives_a_list(call: Call) -> None:
    assert (await batch(call, {"me": "profile"}))["result"]["me"]["ID"] == "1"
    assert (await batch(call, ["profile", "scope"]))["result"][0]["ID"] == "1"
    after_an_error = await batch(call, ["nope", "profile"])
    assert after_an_error["result"].keys() == {"1"}, "keys that do not count from 0 make an object"
    assert after_an_error["result_error"][0]["error"] == "ERROR_METHOD_NOT_FOUND"


async def test_form_fields_make_a_batch_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("batch", data={"cmd[me]": "profile", "cmd[bad]": "nope", "halt": "0"})
    assert answer.json()["result"]["result_error"].keys() == {"bad"}


async def test_at_most_50_commands(call: Call) -> None:
    result = await batch(call, {f"c{number}": "server.time" for number in range(52)})
    assert len(result["result"]) == 50
    assert {error["error"] for error in result["result_error"].values()} == {"ERROR_BATCH_LENGTH_EXCEEDED"}


@pytest.mark.parametrize("method", ["batch", "BATCH", "upload", "download"])
async def test_no_batch_in_a_batch(call: Call, method: str) -> None:
    result = await batch(call, {"inner": f"{method}?cmd[a]=profile"})
    assert result["result_error"]["inner"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"


async def test_halt_stops_at_the_first_error(call: Call, portal: DemoPortal) -> None:
    commands = {"a": "profile", "b": "nope", "c": "profile"}
    assert (await batch(call, commands, halt=0))["result"].keys() == {"a", "c"}
    assert (await batch(call, commands, halt=1))["result"].keys() == {"a"}
    assert [inner.method for inner in portal.requests[-1].inner] == ["profile", "nope"]


async def test_a_missing_scope_has_an_empty_description_inside_a_batch(
    call: Call, portal: DemoPortal
) -> None:
    portal.scopes = ()
    result = await batch(call, {"a": "im.recent.get"})
    assert result["result_error"] == {"a": {"error": "insufficient_scope", "error_description": ""}}


async def test_commands_refer_to_each_others_results(call: Call) -> None:
    commands = {
        "who": "im.search.user.list?FIND=" + quote("Орлов"),
        "dialog": "im.dialog.get?DIALOG_ID=$result[who][5][id]",
        "mixed": "im.dialog.get?DIALOG_ID=chat$result[dialog][id]",
        "total": "im.search.chat.list?FIND=" + quote("чат") + "&LIMIT=$result_total[who]",
        "missing": "im.dialog.get?DIALOG_ID=$result[nobody][id]",
    }
    result = await batch(call, commands)
    assert result["result"]["dialog"]["dialog_id"] == "5"
    assert result["result"]["mixed"]["id"] == result["result"]["dialog"]["id"]
    assert len(result["result"]["total"]) == 1
    assert result["result_error"]["missing"]["error"] == "DIALOG_ID_EMPTY"
    assert result["result_total"]["who"] == 1
    assert result["result_next"] == {"total": 1}
    assert result["result_time"]["dialog"].keys() >= {"start", "finish", "operating"}


async def test_every_value_is_a_string_so_true_pins(call: Call) -> None:
    await batch(call, {"a": "im.recent.pin?DIALOG_ID=chat1217&PIN=true"})
    recent = (await call("im.recent.get"))["result"]
    assert next(item for item in recent if item and item["id"] == "chat1217")["pinned"]


async def test_a_batch_is_free_of_operating_time_and_its_commands_are_charged(
    call: Call, portal: DemoPortal
) -> None:
    portal.costs = {"*": 5.0}
    body = await call("batch", cmd=["profile", "profile"])
    assert body["time"]["operating"] == 0
    assert body["result"]["result_time"][1]["operating"] == 10


async def test_a_fault_of_a_method_strikes_its_command_alone(call: Call, portal: DemoPortal) -> None:
    portal.fail("im.recent.pin", Fault(error="OPERATION_TIME_LIMIT"), calls=2)
    commands = [f"im.recent.pin?DIALOG_ID={number}" for number in (5, 7, 9)]
    result = await batch(call, commands)
    assert result["result"] == {"0": True, "2": True}
    assert result["result_error"]["1"]["error"] == "OPERATION_TIME_LIMIT"
