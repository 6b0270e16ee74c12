"""How calls are written into a batch, and how their fates are read out of it."""

import json
from urllib.parse import parse_qsl

import msgspec
import pytest
from bitrix24_chat_mcp.portal.api.batch import fits, pack, unpack
from bitrix24_chat_mcp.portal.api.credentials import Webhook
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request

ME = Webhook("https://acme.example", "1", "secret")


def request(method: str, **params: object) -> Request:
    return Request(ME, method, params, writes=method == "im.recent.pin")


def command(**params: object) -> str:
    return pack([request("im.recent.get", **params)]).params["cmd"]["c0"]


def fates(text: str, count: int = 2) -> list[ApiResult | PortalError]:
    return unpack(ApiResult(msgspec.Raw(text.encode())), count)


def test_a_batch_names_its_commands_and_goes_on_after_an_error() -> None:
    packed = pack([request("im.recent.get", SKIP_CHAT="Y"), request("profile")])
    assert packed.method == "batch"
    assert packed.params == {"halt": 0, "cmd": {"c0": "im.recent.get?SKIP_CHAT=Y", "c1": "profile"}}


def test_a_batch_writes_when_one_of_its_calls_does() -> None:
    assert not pack([request("profile")]).writes
    assert pack([request("profile"), request("im.recent.pin")]).writes


@pytest.mark.parametrize(
    "value",
    ["2026-11-20T10:00:00+03:00", "a b", "50% & more=less", "Ёж", "[0]", "?", "#", "\n", "a;b", "🙂", ""],
)
def test_values_arrive_as_they_were(value: str) -> None:
    written = command(FIND=value).partition("?")[2]
    assert parse_qsl(written, keep_blank_values=True) == [("FIND", value)]
    assert written.isascii()
    assert "+" not in written


def test_numbers_lists_and_maps_are_written_the_way_php_reads_them() -> None:
    written = command(LIMIT=20, USERS=[1, 2], FILTER={"ID": {"from": 1}})
    assert parse_qsl(written.partition("?")[2]) == [
        ("LIMIT", "20"),
        ("USERS[0]", "1"),
        ("USERS[1]", "2"),
        ("FILTER[ID][from]", "1"),
    ]


def test_a_value_that_reads_as_a_reference_does_not_fit() -> None:
    assert fits(request("im.search.chat.list", FIND="result"))
    assert not fits(request("im.search.chat.list", FIND="$result[c0]"))
    assert not fits(request("x", FILTER={"ID": ["$result_error[c0]"]}))


def test_each_call_has_its_own_result_untouched_and_its_own_clock() -> None:
    first, second = fates(
        '{"result":{"c0":[{"a" : 1}],"c1":[]},"result_error":[],"result_total":[],"result_next":[],'
        '"result_time":{"c0":{"date_finish":"2026-11-20T10:00:00+03:00","finish":10.5,"operating_reset_at":70}}}'
    )
    assert isinstance(first, ApiResult)
    assert isinstance(second, ApiResult)
    assert bytes(first.result) == b'[{"a" : 1}]'
    assert first.as_of is not None
    assert first.resets_in == 60.5
    assert bytes(second.result) == b"[]"
    assert second.resets_in is None


@pytest.mark.parametrize("said", ["", "Access denied!"])
def test_an_error_may_come_without_a_description(said: str) -> None:
    errors = {
        "c1": {"error": "insufficient_scope", "error_description": said},
        "c0": {"error": "ACCESS_ERROR"},
    }
    first, second = fates(json.dumps({"result": [], "result_error": errors, "result_time": []}))
    assert isinstance(first, PortalError)
    assert first.code == "ACCESS_ERROR"
    assert isinstance(second, PortalError)
    assert (second.code, second.said) == ("INSUFFICIENT_SCOPE", said)


def test_a_time_limit_inside_a_batch_says_when_it_ends_if_the_portal_does() -> None:
    (error,) = fates(
        '{"result":[],"result_error":{"c0":{"error":"OPERATION_TIME_LIMIT","error_description":"Method is '
        'blocked"}},"result_time":{"c0":{"finish":1000,"operating_reset_at":1299}}}',
        1,
    )
    assert isinstance(error, PortalError)
    assert error.retry_after == 300
    assert str(error).endswith("Try again in 5 minutes.")


@pytest.mark.parametrize(
    "text", ["[]", "null", "17", '{"result":[],"result_error":[]}', '{"result":{"c7":1}}']
)
def test_a_call_of_which_nothing_is_said_may_have_been_made(text: str) -> None:
    (error,) = fates(text, 1)
    assert isinstance(error, PortalError)
    assert (error.code, error.transient, error.acted) == ("UNCLEAR_ANSWER", True, True)


def test_an_answer_of_null_is_an_answer() -> None:
    (answer,) = fates('{"result":{"c0":null}}', 1)
    assert isinstance(answer, ApiResult)
    assert bytes(answer.result) == b"null"
