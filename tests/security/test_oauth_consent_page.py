"""The OAuth consent page and its cookie: people see where they are sent, and only they can go on."""

import re
from html import unescape

import httpx
import pytest
from bitrix24_demo_portal import DemoPortal
from support.oauth_wire import authorize, client_id, consent_page, registered
from support.team import BACK, Serve

PUBLIC = "https://mcp.example.com"


def sentence(page: httpx.Response) -> str:
    """Return what a person reads first."""
    assert page.status_code == 200, page.text
    shown = re.search("<p>(.*?)</p>", page.text)
    assert shown
    return unescape(re.sub("<[^>]*>", "", shown[1]))


@pytest.mark.parametrize(
    "redirect",
    [
        "https://claude.ai@evil.example/",
        "https://claude.ai:443@evil.example/",
        "http://claude.ai@127.0.0.1:9/back",
        "cursor://claude.ai@evil/",
        "evil://claude.ai",
        "ms-msdt:/id",
        "ms-msdt://id",
        "intent://scan/#Intent;end",
        "chrome://settings",
        "search-ms://query",
        "javascript:alert(1)",
        "javascript://claude.ai/%0aalert(1)",
        "file:///etc/passwd",
        "ftp://claude.ai/",
        "view-source:https://claude.ai/",
        "com.example.app:without-a-slash",
        ".com.example:/back",
        "http://evil.example/",
        "http://localhost.evil.example/",
        f"{BACK}#part",
    ],
)
async def test_a_redirect_uri_that_could_deceive_or_start_something_is_not_registered(
    serve: Serve, redirect: str
) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        answer = await registered(http, redirect_uris=[BACK, redirect])
        assert answer.status_code == 400
        assert answer.json()["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}


@pytest.mark.parametrize(
    ("redirect", "shown"),
    [
        ("https://claude.ai/api/mcp/auth_callback", "https://claude.ai"),
        ("https://claude.ai:8443/back", "https://claude.ai:8443"),
        ("https://clаude.ai/back", "https://xn--clude-5ve.ai"),  # with a Cyrillic letter
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp"),
        ("vscode-insiders://claude.ai/back", "vscode-insiders://claude.ai"),
        ("com.example.app:/back", "com.example.app:"),
        ("com.example.app://claude.ai/back", "com.example.app://claude.ai"),
        ("http://127.0.0.1:9/back", "http://127.0.0.1:9"),
        ("http://[::1]:9/back", "http://[::1]:9"),
        ("http://localhost/back", "http://localhost"),
    ],
)
async def test_the_consent_page_shows_scheme_and_host_of_the_redirect_uri(
    serve: Serve, redirect: str, shown: str
) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        known = await client_id(http, redirect_uris=[redirect])
        assert f"You will be sent to {shown}." in sentence(await consent_page(http, known, redirect_uri=""))


async def test_the_consent_page_tells_a_name_as_what_a_program_calls_itself(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        name = 'claude.ai</q>\u202e"\n<script>alert(1)</script>' + "x" * 200
        page = await consent_page(http, await client_id(http, client_name=name))
        assert sentence(page).startswith("A program that calls itself claude.ai</q>")
        assert "<script>" not in page.text
        assert "\u202e" not in page.text
        assert "x" * 80 not in page.text
        nameless = await consent_page(http, await client_id(http))
        assert sentence(nameless).startswith("A program without a name asks")


async def test_a_loopback_redirect_uri_with_user_info_is_not_the_registered_one(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        asked = "http://claude.ai@127.0.0.1:10/back"
        assert (await authorize(http, await client_id(http), redirect_uri=asked)).status_code == 400


async def test_the_oauth_cookie_of_a_public_server_can_be_set_by_nobody_else(serve: Serve) -> None:
    async with (
        serve(auth=["bitrix24"], public_url=PUBLIC) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        answer = await authorize(http, await client_id(http))
        cookie = answer.headers["set-cookie"]
        name, value = cookie.split(";")[0].split("=")
        assert name.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "domain" not in cookie.lower()
        page = answer.headers["location"].removeprefix(PUBLIC)
        planted = {"Cookie": f"{name.removeprefix('__Host-')}={value}"}
        own = {"Cookie": f"{name}={value}"}
        assert (await http.get(page, headers=planted)).status_code == 400
        assert (await http.get(page, headers=own)).status_code == 200
        ended = await http.post(page, headers=own, data={"answer": "no"})
        assert {"Max-Age=0", "Secure", "Path=/"} <= set(ended.headers["set-cookie"].split("; "))


async def test_a_cookie_of_another_oauth_sign_in_does_not_open_this_one(
    serve: Serve, portal: DemoPortal
) -> None:
    async with (
        serve(auth=["bitrix24"]) as base,
        httpx.AsyncClient(base_url=base) as victim,
        httpx.AsyncClient(base_url=base) as attacker,
    ):
        known = await client_id(attacker)
        await authorize(victim, known)
        page = await consent_page(attacker, known)
        assert (await victim.post(page.url, data={"answer": "yes"})).status_code == 400
        state = httpx.URL((await attacker.post(page.url, data={"answer": "yes"})).headers["location"]).params
        back = {"code": portal.code(7), "state": state["state"]}
        assert (await victim.get("/sign-in/back", params=back)).status_code == 400


async def test_two_oauth_sign_ins_of_one_browser_go_on_side_by_side(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        one, other = [await consent_page(http, await client_id(http)) for _ in range(2)]
        for page in (other, one):
            assert (await http.post(page.url, data={"answer": "no"})).status_code == 302
            assert (await http.post(page.url, data={"answer": "yes"})).status_code == 400, "it has ended"
