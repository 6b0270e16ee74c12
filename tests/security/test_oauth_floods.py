"""Floods of the OAuth endpoints by strangers: nothing is stored for them, and nobody else is pushed out."""

import gc
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from auth.test_grant_tokens import VERIFIER, Program, answers
from bitrix24_chat_mcp.auth.attempts import MOST_REFUSALS
from bitrix24_chat_mcp.auth.one_time_marks import InProcessMarks
from bitrix24_chat_mcp.auth.pending import PendingAuthorization, PendingAuthorizations
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_demo_portal import DemoPortal
from support.oauth_wire import authorize, client_id, consent_page, registered, request_of
from support.team import BACK, STATE_KEY, Person, Serve, free_port

FLOOD = 1100  # more than were remembered when they were stored


@asynccontextmanager
async def browser(serve: Serve) -> AsyncGenerator[httpx.AsyncClient]:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        yield http


def memory() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def test_an_oauth_sign_in_under_way_outlives_a_flood_of_authorization_requests(
    serve: Serve, portal: DemoPortal
) -> None:
    async with browser(serve) as http, httpx.AsyncClient(base_url=http.base_url) as stranger:
        page = await consent_page(http, await client_id(http))
        theirs = await client_id(stranger)
        for _ in range(FLOOD):
            assert (await authorize(stranger, theirs)).status_code == 302
            stranger.cookies.clear()
        to_portal = (await http.post(page.url, data={"answer": "yes"})).headers["location"]
        back = {"code": portal.code(7), "state": httpx.URL(to_portal).params["state"]}
        arrived = await http.get("/sign-in/back", params=back)
        assert arrived.headers["location"].startswith(f"{BACK}?code=")


async def test_an_oauth_client_stays_registered_through_a_flood_of_registrations(
    serve: Serve, portal: DemoPortal
) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as stranger:
        program = Program(base, Person(portal, 7))
        code = (await program.code())["code"]
        for _ in range(FLOOD):
            assert (await registered(stranger)).status_code == 201
        assert (await program.exchange(code)).status_code == 200


async def test_oauth_requests_of_strangers_cost_no_memory(serve: Serve) -> None:
    async with browser(serve) as http:
        known = await client_id(http)

        async def flood(count: int) -> None:
            for number in range(count):
                metadata = {"client_name": f"{number} " * 50, "client_uri": f"https://x.example/{number}"}
                assert (await registered(http, **metadata)).status_code == 201
                assert (await authorize(http, known, state=f"{number}".ljust(2000, "s"))).status_code == 302
                http.cookies.clear()

        tracemalloc.start()
        try:
            await flood(50)  # what is imported, compiled and cached on the way
            before = memory()
            await flood(200)
            assert memory() - before < 200_000, "1 kB for each pair of requests"
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("name", ["state", "redirect_uri", "scope", "resource", "client_id"])
async def test_a_parameter_that_is_too_long_is_an_oauth_error(serve: Serve, name: str) -> None:
    async with browser(serve) as http:
        asked = request_of(await client_id(http)) | {name: "x" * 20_000}
        for answer in (
            await http.get("/authorize", params=asked),
            await http.post("/authorize", data=asked),
        ):
            assert answer.status_code == 400
            assert answer.json()["error"] == "invalid_request"
            assert name in answer.json()["error_description"]


async def test_a_state_as_long_as_clients_use_comes_back_whole(serve: Serve) -> None:
    state = "/?&=я" * 400
    async with browser(serve) as http:
        page = await consent_page(http, await client_id(http), state=state)
        assert page.status_code == 200
        back = (await http.post(page.url, data={"answer": "no"})).headers["location"]
        assert httpx.URL(back).params["state"] == state


@pytest.mark.parametrize("path", ["/authorize", "/token", "/register", "/revoke", "/sign-in/x"])
@pytest.mark.parametrize("declared", [True, False])
async def test_an_oauth_body_of_more_than_64_kb_is_not_read(
    serve: Serve, path: str, *, declared: bool
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 16_384

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with browser(serve) as http:
        answer = await http.post(path, content=b"x" * 70_000 if declared else chunks(), headers=form)
        assert answer.status_code == 413


async def test_oauth_codes_that_bitrix24_refuses_are_exchanged_ten_times_a_minute_at_most(
    serve: Serve, portal: DemoPortal
) -> None:
    said: list[str] = []
    async with browser(serve) as http:
        known = await client_id(http)
        for number in range(MOST_REFUSALS + 3):
            page = await consent_page(http, known)
            to_portal = (await http.post(page.url, data={"answer": "yes"})).headers["location"]
            back = {"code": f"made-up-{number}", "state": httpx.URL(to_portal).params["state"]}
            arrived = (await http.get("/sign-in/back", params=back)).headers["location"]
            assert httpx.URL(arrived).params["error"] == "access_denied"
            said.append(httpx.URL(arrived).params["error_description"])
    assert sum(request.method == "oauth.token" for request in portal.requests) == MOST_REFUSALS
    assert ["refused too many sign-ins" in one for one in said] == [False] * MOST_REFUSALS + [True] * 3


async def test_oauth_metadata_is_bounded(serve: Serve) -> None:
    async with browser(serve) as http:
        issued = (await registered(http, client_name="Я" * 4000)).json()["client_id"]
        assert len(issued) < 2048
        many = [f"https://x.example/{number}".ljust(1000, "x") for number in range(10)]
        assert (await registered(http, redirect_uris=many)).status_code == 400
        assert (await registered(http, redirect_uris=[f"{BACK}/{'x' * 2000}"])).status_code == 400
        assert (await registered(http, redirect_uris=[BACK] * 11)).status_code == 400
        assert (await registered(http, contacts=["x" * 20_000])).status_code == 400


async def test_an_oauth_sign_in_goes_on_at_any_server_with_the_same_key(
    serve: Serve, portal: DemoPortal
) -> None:
    ports = [free_port() for _ in range(3)]
    public = f"http://127.0.0.1:{ports[0]}"

    def at(server: int, address: str) -> httpx.URL:
        return httpx.URL(public).join(address).copy_with(port=ports[server])

    async with (
        serve(auth=["bitrix24"], public_url=public, port=ports[0]),
        serve(auth=["bitrix24"], public_url=public, port=ports[1]),
        serve(auth=["bitrix24"], public_url=public, port=ports[2]),
        httpx.AsyncClient() as http,
    ):
        asked = {"redirect_uris": [BACK], "token_endpoint_auth_method": "none"}
        issued = (await http.post(at(0, "/register"), json=asked)).json()["client_id"]
        page = (await http.get(at(1, "/authorize"), params=request_of(issued))).headers["location"]
        assert (await http.get(at(2, page))).status_code == 200
        to_portal = (await http.post(at(0, page), data={"answer": "yes"})).headers["location"]
        back = {"code": portal.code(7), "state": httpx.URL(to_portal).params["state"]}
        arrived = (await http.get(at(1, "/sign-in/back"), params=back)).headers["location"]
        form = {
            "grant_type": "authorization_code",
            "client_id": issued,
            "code": httpx.URL(arrived).params["code"],
            "code_verifier": VERIFIER,
            "redirect_uri": BACK,
        }
        tokens = (await http.post(at(2, "/token"), data=form)).json()
        assert await answers(str(at(0, "/")), tokens["access_token"]) not in {401, 403}


def pending(expires: float) -> PendingAuthorization:
    return PendingAuthorization("0" * 32, int(expires), "c", "A program", "", BACK, True, "c" * 43, "s")  # noqa: FBT003


async def test_an_oauth_sign_in_ends_in_time_and_cannot_be_made_up_or_shortened(serve: Serve) -> None:
    ours = PendingAuthorizations(Sealer(STATE_KEY.encode()), InProcessMarks())
    foreign = PendingAuthorizations(Sealer(b"another" * 9), InProcessMarks())
    fresh, expired = pending(time.time() + 60), pending(time.time() - 1)
    async with browser(serve) as http:
        for keys, one, status in ((ours, fresh, 200), (ours, expired, 400), (foreign, fresh, 400)):
            http.cookies.set("sign-in-" + "0" * 16, ours.cookie(one))
            assert (await http.get(f"/sign-in/{keys.seal('consent', one)}")).status_code == status
        unasked = {"code": "x", "state": ours.seal("consent", fresh)}
        assert (await http.get("/sign-in/back", params=unasked)).status_code == 400
