"""What the OAuth RFCs ask of the endpoints, as attackers and careful clients meet it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from auth.test_grant_tokens import Program, answers
from bitrix24_demo_portal import DemoPortal
from mcp.shared.auth import OAuthToken
from support.oauth_wire import authorize, client_id, registered
from support.team import BACK, Person, Serve


@asynccontextmanager
async def program(serve: Serve, portal: DemoPortal, user: int = 7) -> AsyncGenerator[Program]:
    async with serve(auth=["bitrix24"]) as base:
        yield Program(base, Person(portal, user))


async def test_a_replayed_authorization_code_ends_the_tokens_it_gave(
    serve: Serve, portal: DemoPortal
) -> None:
    async with program(serve, portal) as one:
        code = (await one.code())["code"]
        tokens = OAuthToken.model_validate((await one.exchange(code)).json())
        assert await answers(one.base, tokens.access_token) not in {401, 403}
        for _ in range(2):
            assert (await one.exchange(code)).json()["error"] == "invalid_grant"
        assert await answers(one.base, tokens.access_token) == 401
        assert (await one.refresh(str(tokens.refresh_token))).json()["error"] == "invalid_grant"


async def test_a_replayed_code_of_another_client_ends_nothing(serve: Serve, portal: DemoPortal) -> None:
    async with program(serve, portal) as one:
        code = (await one.code())["code"]
        tokens = OAuthToken.model_validate((await one.exchange(code)).json())
        other = Program(one.base, Person(portal, 1))
        await other.sign_in()
        assert (await other.exchange(code)).json()["error"] == "invalid_grant"
        assert await answers(one.base, tokens.access_token) not in {401, 403}


async def revoke(one: Program, **form: str) -> httpx.Response:
    async with one.http() as http:
        return await http.post("/revoke", data=form)


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", ["", "access_token", "refresh_token", "of a kind that nobody knows"])
async def test_a_public_oauth_client_revokes_without_a_secret(
    serve: Serve, portal: DemoPortal, which: str, hint: str
) -> None:
    async with program(serve, portal) as one:
        tokens = await one.sign_in()
        form = {"token": getattr(tokens, which), "client_id": one.client_id}
        assert (await revoke(one, **form, token_type_hint=hint)).status_code == 200
        assert await answers(one.base, tokens.access_token) == 401


async def test_an_oauth_revocation_of_an_unknown_token_is_no_error_and_of_another_s_ends_nothing(
    serve: Serve, portal: DemoPortal
) -> None:
    async with program(serve, portal) as one:
        tokens = await one.sign_in()
        other = Program(one.base, Person(portal, 1))
        await other.sign_in()
        for token in ("unknown", "я", "0" * 104, tokens.access_token, str(tokens.refresh_token)):
            assert (await revoke(other, token=token, client_id=other.client_id)).status_code == 200
        assert await answers(one.base, tokens.access_token) not in {401, 403}
        assert (await revoke(one, client_id=one.client_id)).json()["error"] == "invalid_request"
        stranger = await revoke(one, token=tokens.access_token, client_id="nobody")
        assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")


async def test_a_confidential_oauth_client_revokes_with_its_secret_alone(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        issued = (await registered(http, token_endpoint_auth_method="client_secret_post")).json()
        form = {"token": "unknown", "client_id": issued["client_id"]}
        assert (await http.post("/revoke", data=form)).status_code == 401
        wrong = {**form, "client_secret": "0" * 64}
        assert (await http.post("/revoke", data=wrong)).status_code == 401
        right = {**form, "client_secret": issued["client_secret"]}
        assert (await http.post("/revoke", data=right)).status_code == 200


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_an_oauth_error_redirect_says_who_answers_and_to_what(
    serve: Serve, asked: dict[str, str], error: str
) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        answer = await authorize(http, await client_id(http), **asked)
        back = httpx.URL(answer.headers["location"])
        assert str(back).startswith(BACK)
        assert (back.params["error"], back.params["iss"], back.params["state"]) == (error, base, "s")
        assert "set-cookie" not in answer.headers


async def test_the_oauth_token_endpoint_gives_tokens_for_its_own_resource_alone(
    serve: Serve, portal: DemoPortal
) -> None:
    async with program(serve, portal) as one:
        other, own = "https://other.example/mcp", f"{one.base}/mcp"
        code = (await one.code(resource=own))["code"]
        assert (await one.exchange(code, resource=other)).json()["error"] == "invalid_target"
        tokens = (await one.exchange(code, resource=own)).json()
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await one.token(**refresh, resource=other)).json()["error"] == "invalid_target"
        assert (await one.token(**refresh, resource=own)).status_code == 200


async def test_the_oauth_metadata_says_how_public_clients_revoke(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        server = (await http.get("/.well-known/oauth-authorization-server")).json()
        assert "none" in server["revocation_endpoint_auth_methods_supported"]
