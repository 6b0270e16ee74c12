"""An assistant knows the server's address, and its user signs in with Bitrix24 on the way."""

import anyio
import httpx
import pytest
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from support.conversation import Era, facts, text
from support.team import BACK, Memory, Person, Serve, assistant


async def titles(client: Client) -> list[str]:
    return [chat["title"] for chat in facts(await client.call_tool("list_recent_chats"))["chats"]]


async def test_an_oauth_client_that_knows_the_address_alone_signs_its_user_in(
    serve: Serve, portal: DemoPortal, era: Era
) -> None:
    memory = Memory()
    async with (
        serve(auth=["bitrix24"]) as base,
        assistant(base, Person(portal, 7), memory, mode=era) as client,
    ):
        assert await titles(client)
        assert portal.requests[-1].user == 7
    assert memory.tokens
    assert memory.tokens.scope == "chats"


async def test_two_users_of_one_server_see_only_their_own(serve: Serve, portal: DemoPortal) -> None:
    async with (
        serve(auth=["bitrix24"]) as base,
        assistant(base, Person(portal, 1)) as anna,
        assistant(base, Person(portal, 7)) as maria,
    ):
        seen: dict[int, list[str]] = {}
        async with anyio.create_task_group() as tasks:

            async def look(user: int, client: Client) -> None:
                seen[user] = await titles(client)

            tasks.start_soon(look, 1, anna)
            tasks.start_soon(look, 7, maria)
    assert seen[1]
    assert seen[7]
    assert seen[1] != seen[7]


async def test_who_is_signed_out_by_the_portal_is_asked_to_sign_in_again(
    serve: Serve, portal: DemoPortal
) -> None:
    memory, person = Memory(), Person(portal, 7)
    async with serve(auth=["bitrix24"]) as base, assistant(base, person, memory) as client:
        await client.call_tool("list_recent_chats")
        asked = len(person.pages)
        portal.reset()  # it knows no token any more
        answer = await client.call_tool("list_recent_chats", {"skip_chat": True})
        assert text(answer).startswith("NOT_SIGNED_IN: ")
        assert not (await client.call_tool("list_recent_chats")).is_error
        assert len(person.pages) > asked


async def test_oauth_metadata_of_the_server_leads_a_client_to_it(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        refused = await http.post("/mcp", json={})
        assert refused.status_code == 401
        where = f"{base}/.well-known/oauth-protected-resource/mcp"
        assert f'resource_metadata="{where}"' in refused.headers["www-authenticate"]
        resource = (await http.get(where)).json()
        assert resource["resource"] == f"{base}/mcp"
        assert resource["authorization_servers"] == [base]
        assert resource["scopes_supported"] == ["chats"]
        server = (await http.get("/.well-known/oauth-authorization-server")).json()
        assert server["issuer"] == base
        assert server["client_id_metadata_document_supported"] is True
        assert server["authorization_response_iss_parameter_supported"] is True
        assert "none" in server["token_endpoint_auth_methods_supported"]
        assert server["code_challenge_methods_supported"] == ["S256"]


async def _registered(http: httpx.AsyncClient, **asked: object) -> httpx.Response:
    return await http.post(
        "/register", json={"redirect_uris": [BACK], "token_endpoint_auth_method": "none", **asked}
    )


@pytest.mark.parametrize(
    "redirect", ["http://evil.example/", "javascript:alert(1)", "data:text/html,x", f"{BACK}#x"]
)
async def test_a_client_with_a_bad_redirect_uri_is_not_registered(serve: Serve, redirect: str) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        assert (await _registered(http, redirect_uris=[redirect])).status_code == 400
        assert (await _registered(http, redirect_uris=["cursor://back", BACK])).status_code == 201
        assert (await _registered(http, client_name="x" * 20_000)).status_code == 400


async def test_consent_is_bound_nobody_finishes_a_sign_in_that_another_browser_began(
    serve: Serve, portal: DemoPortal
) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as one:
        client_id = (await _registered(one)).json()["client_id"]
        asked = {
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": BACK,
            "code_challenge": "c" * 43,
            "state": "s",
        }
        page = (await one.get("/authorize", params=asked)).headers["location"]
        shown = await one.get(page)
        assert shown.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
        assert "127.0.0.1:9" in shown.text
        async with httpx.AsyncClient() as other:
            assert (await other.get(page)).status_code == 400
            assert (await other.post(page, data={"answer": "yes"})).status_code == 400
            to_portal = (await one.post(page, data={"answer": "yes"})).headers["location"]
            state = httpx.URL(to_portal).params["state"]
            back = {"code": portal.code(7), "state": state}
            assert (await other.get(f"{base}/sign-in/back", params=back)).status_code == 400
        arrived = await one.get("/sign-in/back", params=back)
        assert arrived.headers["location"].startswith(f"{BACK}?code=")
        assert (await one.get("/sign-in/back", params=back)).status_code == 400, "once"


@pytest.mark.parametrize("toolsets", [(), ("read", "tidy")])
async def test_the_consent_page_tells_the_sets_of_tools_that_are_on(
    serve: Serve, toolsets: tuple[str, ...]
) -> None:
    async with (
        serve(auth=["bitrix24"], toolsets=toolsets) as base,
        httpx.AsyncClient(base_url=base) as http,
    ):
        client_id = (await _registered(http)).json()["client_id"]
        asked = {"client_id": client_id, "response_type": "code", "code_challenge": "c" * 43, "state": "s"}
        page = (await http.get((await http.get("/authorize", params=asked)).headers["location"])).text
    may = page[: page.index("It may not")]
    assert ("read the messages of your chats" in may) is ("read" in toolsets)
    assert ("hide chats, and mark all of them read" in may) is ("tidy" in toolsets)
    assert ("read further back" in page) is ("read" not in toolsets)
    assert "mute" not in page


async def test_a_no_on_the_consent_page_leads_back_as_a_no(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        client_id = (await _registered(http)).json()["client_id"]
        asked = {"client_id": client_id, "response_type": "code", "code_challenge": "c" * 43, "state": "s"}
        page = (await http.get("/authorize", params=asked)).headers["location"]
        await http.get(page)
        back = (await http.post(page, data={"answer": "no"})).headers["location"]
        assert httpx.URL(back).params["error"] == "access_denied"
        assert httpx.URL(back).params["state"] == "s"
