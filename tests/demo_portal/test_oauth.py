"""OAuth: the page that a person sees, the endpoint that an application calls, and what its tokens may do."""

import re
from collections.abc import AsyncGenerator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from support.transport import ASGITransport

HOST = "https://demo.bitrix24.example"
REDIRECT = "http://127.0.0.1:9999/callback?kept=1"


@pytest.fixture
async def web(portal: DemoPortal) -> AsyncGenerator[httpx.AsyncClient]:
    """A browser that has no webhook."""
    async with httpx.AsyncClient(transport=ASGITransport(portal), base_url=HOST) as client:
        yield client


def application(portal: DemoPortal, **fields: str) -> dict[str, str]:
    return {"client_id": portal.client_id, "client_secret": portal.client_secret, **fields}


async def exchange(web: httpx.AsyncClient, portal: DemoPortal, **fields: str) -> httpx.Response:
    return await web.get("/oauth/token/", params=application(portal, **fields))


async def test_a_person_allows_the_application_and_it_is_called_back(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    asked = {
        "client_id": portal.client_id,
        "state": 'x"<1>',
        "redirect_uri": REDIRECT,
        "response_type": "code",
    }
    page = await web.get("/oauth/authorize/", params=asked)
    assert page.headers["content-type"].startswith("text/html")
    assert "Allow as Мария Кузнецова" in page.text
    assert 'value="x&quot;&lt;1&gt;"' in page.text, "what came in is escaped"

    allowed = await web.post("/oauth/authorize/", data={**asked, "user": "7"})
    assert allowed.status_code == 302
    target = urlsplit(allowed.headers["location"])
    answer = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert answer.keys() == {"kept", "code", "state", "domain", "member_id", "scope", "server_domain"}
    assert answer["state"] == 'x"<1>'

    tokens = (await exchange(web, portal, grant_type="authorization_code", code=answer["code"])).json()
    assert tokens["client_endpoint"] == f"{HOST}/rest/"
    assert tokens["expires_in"] == 3600
    assert tokens.keys().isdisjoint({"expires", "user_id"})
    me = await web.get("/rest/profile", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json()["result"]["ID"] == "7"


async def test_an_application_without_an_address_shows_the_code_on_the_page(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    page = await web.post("/oauth/authorize/", data={"client_id": portal.client_id, "user": "1"})
    code = re.search(r"<code>(\w+)</code>", page.text)
    assert code
    answer = await exchange(web, portal, grant_type="authorization_code", code=code[1])
    assert answer.status_code == 200
    assert (await web.get("/oauth/authorize/", params={"client_id": "other"})).status_code == 400


async def test_a_code_works_once_and_for_30_seconds(web: httpx.AsyncClient, portal: DemoPortal) -> None:
    once = portal.code()
    assert (await exchange(web, portal, grant_type="authorization_code", code=once)).status_code == 200
    used = await exchange(web, portal, grant_type="authorization_code", code=once)
    assert (used.status_code, used.json()) == (400, {"error": "invalid_grant"})
    late = portal.code()
    portal.advance(30)
    answer = await exchange(web, portal, grant_type="authorization_code", code=late)
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize("place", ["header", "auth", "access_token", "body", "json"])
async def test_an_access_token_is_accepted_in_four_places(
    web: httpx.AsyncClient, portal: DemoPortal, place: str
) -> None:
    token = portal.token(7).access
    sent: dict[str, dict[str, dict[str, str]]] = {
        "header": {"headers": {"Authorization": f"bearer {token}"}},
        "auth": {"params": {"auth": token}},
        "access_token": {"params": {"access_token": token}},
        "body": {"data": {"auth": token}},
        "json": {"json": {"auth": token}},
    }
    answer = await web.request("POST", "/rest/profile", **sent[place])  # pyright: ignore[reportArgumentType]
    assert answer.json()["result"]["ID"] == "7"
    assert answer.headers["x-bitrix-rest-application"] == portal.client_id
    assert token not in repr(portal.requests)


async def test_the_header_wins_and_a_token_wins_over_a_webhook(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    answer = await web.get(
        portal.webhook(1) + "profile",
        headers={"Authorization": f"Bearer {portal.token(7).access}"},
        params={"auth": portal.token(9).access},
    )
    assert answer.json()["result"]["ID"] == "7"


async def test_a_token_in_a_broken_body_is_no_token(web: httpx.AsyncClient) -> None:
    answer = await web.post(
        "/rest/profile", content=b'{"auth": "x', headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "NO_AUTH_FOUND")


async def test_an_access_token_lives_an_hour_and_a_refresh_rotates_both(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    old = portal.token(7)
    assert len(old.access) == 70
    assert int.from_bytes(bytes.fromhex(old.access[:8]), "little") == int(portal.now()) + 3600
    portal.advance(3600)
    expired = await web.get("/rest/profile", params={"auth": old.access})
    assert (expired.status_code, expired.json()["error"]) == (401, "expired_token")

    form = application(portal, grant_type="refresh_token", refresh_token=old.refresh)
    fresh = (await web.post("/oauth/token/", data=form)).json()
    assert (fresh["user_id"], fresh["expires"]) == (7, int(portal.now()) + 3600)
    answer = await web.get("/rest/profile", params={"auth": fresh["access_token"]})
    assert answer.status_code == 200
    again = await web.post("/oauth/token/", data=form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    dead = await web.get("/rest/profile", params={"auth": old.access})
    assert (dead.status_code, dead.json()["error"]) == (401, "invalid_token")


async def test_without_rotation_the_old_refresh_token_goes_on_for_180_days(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    portal.rotate = False
    old = portal.token().refresh
    for _ in range(2):
        answer = await exchange(web, portal, grant_type="refresh_token", refresh_token=old)
        assert answer.status_code == 200
    portal.advance(180 * 86400)
    answer = await exchange(web, portal, grant_type="refresh_token", refresh_token=old)
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"client_id": "other"}, 200, "wrong_client"),
        ({"client_secret": "wrong"}, 400, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "nope"}, 400, "invalid_grant"),
    ],
    ids=["client", "secret", "no token", "grant", "token"],
)
async def test_refusals_of_the_token_endpoint(
    web: httpx.AsyncClient, portal: DemoPortal, fields: dict[str, str], status: int, error: str
) -> None:
    answer = await exchange(web, portal, **fields)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_an_application_that_was_removed_and_a_portal_that_does_not_pay(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    pair = portal.token()
    refresh = {"grant_type": "refresh_token", "refresh_token": pair.refresh}
    portal.uninstalled = True
    assert (await web.get("/rest/profile", params={"auth": pair.access})).json()["error"] == "ERROR_OAUTH"
    answer = await exchange(web, portal, **refresh)
    assert (answer.status_code, answer.json()["error"]) == (401, "NOT_INSTALLED")
    portal.uninstalled, portal.unpaid = False, True
    refused = await web.get("/rest/profile", params={"auth": pair.access})
    assert refused.json()["error_description"] == "REST is available only on commercial plans."
    answer = await exchange(web, portal, **refresh)
    assert (answer.status_code, answer.json()["error"]) == (401, "PAYMENT_REQUIRED")


async def test_a_restricted_and_a_fired_user(web: httpx.AsyncClient, portal: DemoPortal) -> None:
    token = portal.token(7).access
    portal.restricted = {7}
    answer = await web.get("/rest/profile", params={"auth": token})
    assert (answer.status_code, answer.json()["error"]) == (401, "user_access_error")
    portal.restricted, portal.revoked = set(), {7}
    answer = await web.get("/rest/profile", params={"auth": token})
    assert (answer.status_code, answer.json()["error"]) == (401, "authorization_error")


async def test_a_token_without_the_scope(web: httpx.AsyncClient, portal: DemoPortal) -> None:
    portal.scopes = ("user",)
    answer = await web.get("/rest/im.recent.get", params={"auth": portal.token().access})
    assert answer.json()["error_description"].endswith("provided by the access token")
    info = await web.get("/rest/app.info", params={"auth": portal.token().access})
    assert info.json()["result"]["INSTALLED"] is True


async def test_tokens_can_expire_at_once_and_the_endpoint_can_fail(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    token = portal.token().access
    portal.fail("profile", Fault(expire=True), calls=1)
    portal.fail("oauth.token", Fault(status=500))
    assert (await web.get("/rest/profile", params={"auth": token})).json()["error"] == "expired_token"
    assert (await exchange(web, portal)).status_code == 500
    assert portal.requests[-1].method == "oauth.token"
