"""How requests are read, in which order they are checked, and what is around every answer."""

import json
from typing import Any, Literal

import httpx
import pytest
from bitrix24_demo_portal import DemoPortal

from .conftest import NOW, Call, anonymous


@pytest.mark.parametrize("method", ["profile", "PROFILE", "Profile.json", "profile/", "profile.json/"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_methods_in_any_case_with_a_suffix_or_a_slash_by_get_and_post(
    client: httpx.AsyncClient, method: str, verb: str
) -> None:
    answer = await client.request(verb, method)
    assert answer.json()["result"]["ID"] == "1"


@pytest.mark.parametrize(
    "sent",
    [
        {"params": {"dialog_id": "chat1201"}},
        {"data": {"Dialog_Id": "chat1201"}},
        {"json": {"DIALOG_ID": "chat1201"}},
        {"files": {"DIALOG_ID": (None, "chat1201")}},
        {"json": {"DIALOG_ID": "chat1201"}, "params": {"DIALOG_ID": "chat1203"}},
        {
            "content": b'{"DIALOG_ID":"chat1201"}',
            "headers": {"content-type": "application/json; charset=utf-8"},
        },
        {"content": b'{"DIALOG_ID":"chat1201"}', "headers": {"content-type": "application/vnd.x+json"}},
    ],
    ids=["query", "form", "json", "multipart", "body over query", "charset", "+json"],
)
async def test_parameters_come_from_the_query_and_the_body_in_any_case(
    client: httpx.AsyncClient, sent: dict[str, Any]
) -> None:
    answer = await client.post("im.dialog.get", **sent)
    assert answer.json()["result"]["id"] == 1201


async def test_malformed_json_is_swallowed(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "im.dialog.get", content=b'{"DIALOG_ID":', headers={"content-type": "application/json"}
    )
    assert answer.json()["error"] == "DIALOG_ID_EMPTY"


async def test_an_unknown_method_is_404_before_any_look_at_credentials(portal: DemoPortal) -> None:
    async with anonymous(portal) as client:
        for path in ("/rest/nope", "/rest/1/wrongcode/nope", "/rest/im.v2.Chat.list"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error"]) == (404, "ERROR_METHOD_NOT_FOUND")
            assert portal.requests[-1].user is None


async def test_a_closed_portal_comes_before_an_unknown_method(portal: DemoPortal) -> None:
    portal.deleted = True
    async with anonymous(portal) as client:
        answer = await client.get("/rest/nope")
        assert (answer.status_code, answer.json()["error"]) == (403, "PORTAL_DELETED")


async def test_missing_wrong_and_expired_credentials(portal: DemoPortal) -> None:
    async with anonymous(portal) as client:
        nobody = await client.get("/rest/profile")
        assert (nobody.status_code, nobody.json()["error"]) == (401, "NO_AUTH_FOUND")
        for path in ("/rest/1/wrong/profile", portal.webhook(5).replace("/5/", "/1/") + "profile"):
            wrong = await client.get(path)
            assert (wrong.status_code, wrong.json()["error"]) == (401, "INVALID_CREDENTIALS")
        portal.webhook_expired = True
        assert (await client.get(portal.webhook() + "profile")).json()["error"] == "INVALID_CREDENTIALS"


async def test_a_webhook_without_the_scope(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.scopes = ("user",)
    refused = await client.get("im.recent.get")
    assert (refused.status_code, refused.json()["error"]) == (401, "insufficient_scope")
    assert refused.json()["error_description"].endswith("provided by the webhook token")
    assert (await client.get("profile")).status_code == 200


async def test_a_webhook_may_insist_on_https(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    portal.https_only = True
    refused = await client.get(portal.webhook(base="http://demo.bitrix24.example") + "profile")
    assert (refused.status_code, refused.json()["error"]) == (401, "INVALID_REQUEST")
    assert (await client.get("profile")).status_code == 200


async def test_a_webhook_may_name_its_user_by_login(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    address = portal.webhook(5).replace("/5/", "/user5@demo.bitrix24.example/")
    assert (await client.get(address + "profile")).json()["result"]["ID"] == "5"


async def test_a_fired_user_and_an_unpaid_portal(portal: DemoPortal, call: Call) -> None:
    portal.revoked = {1}
    assert (await call("profile"))["error"] == "authorization_error"
    portal.revoked = set()
    portal.unpaid = True
    body = await call("profile")
    assert body["error_description"] == "REST is available only by subscription."
    assert portal.requests[-1].status == 401


async def test_a_parameter_called_token_means_a_signed_link(client: httpx.AsyncClient) -> None:
    refused = await client.get("profile", params={"token": "x"})
    assert refused.status_code == 403
    assert refused.json()["error_description"].endswith("Link check failed")


@pytest.mark.parametrize(
    ("switch", "by_source", "by_docs", "code"),
    [
        ("overload", 401, 503, "OVERLOAD_LIMIT"),
        ("deleted", 403, 500, "PORTAL_DELETED"),
        ("unpaid", 401, 403, "ACCESS_DENIED"),
        ("webhook_expired", 401, 403, "INVALID_CREDENTIALS"),
        ("scopes", 401, 403, "insufficient_scope"),
    ],
)
async def test_statuses_as_in_the_source_or_as_in_the_documentation(
    portal: DemoPortal, client: httpx.AsyncClient, switch: str, by_source: int, by_docs: int, code: str
) -> None:
    setattr(portal, switch, () if switch == "scopes" else True)
    source = await client.get("im.recent.get")
    portal.statuses = "docs"
    docs = await client.get("im.recent.get")
    assert (source.status_code, docs.status_code) == (by_source, by_docs)
    assert source.json()["error"] == docs.json()["error"] == code


async def test_json_is_escaped_as_php_does_it(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    title = "a/b <i>'q' & \"p\"</i> \\ \u2028 Привет 👍"
    portal.override([{"title": title}])
    body = (await client.get("im.recent.get")).content
    written = r"a\/b \u003Ci\u003E\u0027q\u0027 \u0026 \u0022p\u0022\u003C\/i\u003E \\ \u2028 Привет 👍"
    assert written in body.decode()
    assert b"\n" not in body
    assert json.loads(body)["result"] == [{"title": title}]


async def test_builds_of_2024_escape_non_ascii_and_keep_fractions(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.build = "old"
    answer = await client.get("profile")
    assert answer.content.isascii()
    assert isinstance(answer.json()["time"]["processing"], float)


async def test_what_cannot_be_encoded_is_wrong_encoding_with_200(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.override(["\ud800"])
    answer = await client.get("im.recent.get")
    assert (answer.status_code, answer.json()["error"]) == (200, "WRONG_ENCODING")


async def test_an_array_with_an_error_in_it_is_sent_with_200_and_without_time(
    portal: DemoPortal, client: httpx.AsyncClient
) -> None:
    portal.world.overrides[1] = {"error": "X", "error_description": "y"}  # pyright: ignore[reportArgumentType]
    answer = await client.get("im.recent.get")
    assert (answer.status_code, answer.json()) == (200, {"error": "X", "error_description": "y"})


async def test_time_starts_at_a_whole_second_and_has_the_servers_offset() -> None:
    portal = DemoPortal(clock=lambda: NOW + 0.75)
    async with anonymous(portal) as client:
        time = (await client.get(portal.webhook() + "profile")).json()["time"]
    assert (time["start"], time["finish"], time["duration"], time["processing"]) == (NOW, NOW + 0.75, 0.75, 0)
    assert isinstance(time["start"], int)
    assert time["date_start"] == "2026-11-21T15:00:00+03:00"


@pytest.mark.parametrize(
    ("operating", "keys"),
    [("cloud", {"operating", "operating_reset_at"}), ("limiter", {"operating"}), ("none", set[str]())],
)
async def test_the_limiters_keys_have_three_variants(
    portal: DemoPortal, call: Call, operating: Literal["cloud", "limiter", "none"], keys: set[str]
) -> None:
    portal.operating = operating
    time = (await call("profile"))["time"]
    assert {key for key in time if key.startswith("operating")} == keys


async def test_headers_of_the_cloud_and_no_retry(portal: DemoPortal, client: httpx.AsyncClient) -> None:
    answer = await client.get("profile")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(answer.headers["x-bitrix-rest-time"].partition(".")[2]) == 10
    portal.overload = True
    portal.statuses = "docs"
    assert "retry-after" not in (await client.get("profile")).headers


async def test_an_error_has_no_time_and_options_nothing_but_headers(client: httpx.AsyncClient) -> None:
    assert (await client.get("nope")).json().keys() == {"error", "error_description"}
    preflight = await client.request("OPTIONS", "im.recent.get")
    assert (preflight.status_code, preflight.content) == (200, b"")
    assert preflight.headers["access-control-allow-headers"] == "origin, content-type, accept"


async def test_an_address_that_is_none_of_rests_is_an_html_page(portal: DemoPortal) -> None:
    async with anonymous(portal) as client:
        answer = await client.get("/company/")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_every_request_is_recorded_without_its_credentials(portal: DemoPortal, call: Call) -> None:
    await call("im.recent.pin", DIALOG_ID="chat1217", PIN="Y", auth="")
    await call("batch", cmd={"one": "profile", "two": "nope?a=1"})
    pin, batch = portal.requests
    assert (pin.method, pin.user, pin.verb, pin.status, pin.error) == ("im.recent.pin", 1, "POST", 200, None)
    assert pin.params == {"DIALOG_ID": "chat1217", "PIN": "Y"}
    assert pin.time == NOW
    assert [(inner.method, inner.error) for inner in batch.inner] == [
        ("profile", None),
        ("nope", "ERROR_METHOD_NOT_FOUND"),
    ]
    assert batch.inner[1].params == {"a": "1"}
