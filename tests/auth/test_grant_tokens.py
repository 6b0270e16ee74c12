"""The server's own tokens: short-lived, good for one client and this server alone, and never the portal's."""

import base64
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from bitrix24_chat_mcp.auth.grants import GRACE, REFRESH_LIFE, GrantStore
from bitrix24_chat_mcp.portal.oauth.local_store import FileTokenStore
from bitrix24_demo_portal import DemoPortal
from mcp.shared.auth import OAuthToken
from support.stored_tokens import text_of
from support.team import BACK, ORIGIN, Person, Serve, caller

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class Program:
    """A client that speaks the protocol by hand, so that it can do so wrongly."""

    def __init__(self, base: str, person: Person) -> None:
        self.base = base
        self.person = person
        self.client_id = ""

    @asynccontextmanager
    async def http(self) -> AsyncGenerator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.base) as http:
            yield http

    async def code(self, **more: str) -> dict[str, str]:
        async with self.http() as http:
            asked = {"redirect_uris": [BACK], "token_endpoint_auth_method": "none"}
            self.client_id = (await http.post("/register", json=asked)).json()["client_id"]
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "code_challenge": CHALLENGE,
            "state": "s",
            "redirect_uri": BACK,
            **more,
        }
        return await self.person.allow(str(httpx.URL(f"{self.base}/authorize", params=query)))

    async def token(self, **form: str) -> httpx.Response:
        async with self.http() as http:
            return await http.post("/token", data={"client_id": self.client_id, **form})

    async def exchange(self, code: str, **more: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        return await self.token(**form, redirect_uri=BACK, **more)

    async def refresh(self, token: str) -> httpx.Response:
        return await self.token(grant_type="refresh_token", refresh_token=token)

    async def sign_in(self) -> OAuthToken:
        return OAuthToken.model_validate((await self.exchange((await self.code())["code"])).json())


async def answers(base: str, token: str) -> int:
    async with httpx.AsyncClient(base_url=base) as http:
        answer = await http.post("/mcp", json={}, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code


async def test_grant_tokens_outlive_the_server_and_are_refreshed(serve: Serve, portal: DemoPortal) -> None:
    async with serve(auth=["bitrix24"]) as base:
        program = Program(base, Person(portal, 7))
        tokens = await program.sign_in()
        assert await answers(base, tokens.access_token) != 401
    port = int(base.rpartition(":")[2])
    async with serve(auth=["bitrix24"], port=port) as base:
        assert await answers(base, tokens.access_token) != 401
        assert tokens.refresh_token
        renewed = OAuthToken.model_validate((await program.refresh(tokens.refresh_token)).json())
        assert renewed.refresh_token != tokens.refresh_token
        async with caller(base, Authorization=f"Bearer {renewed.access_token}") as client:
            assert not (await client.call_tool("list_recent_chats")).is_error
    async with serve(auth=["bitrix24"], port=port, state_key="another" * 9) as base:
        assert await answers(base, renewed.access_token) == 401
        assert renewed.refresh_token
        assert (await program.refresh(renewed.refresh_token)).status_code == 200


async def test_an_authorization_code_is_good_once_in_time_and_with_its_verifier(
    serve: Serve, portal: DemoPortal
) -> None:
    async with serve(auth=["bitrix24"]) as base:
        program = Program(base, Person(portal, 7))
        came = await program.code()
        assert (came["state"], came["iss"]) == ("s", base)
        wrong = await program.token(
            grant_type="authorization_code", code=came["code"], code_verifier="w" * 64, redirect_uri=BACK
        )
        assert wrong.json()["error"] == "invalid_grant"
        assert (await program.exchange(came["code"])).status_code == 200
        assert (await program.exchange(came["code"])).json()["error"] == "invalid_grant"


async def test_a_client_cannot_use_what_another_was_given(serve: Serve, portal: DemoPortal) -> None:
    async with serve(auth=["bitrix24"]) as base:
        one, other = Program(base, Person(portal, 7)), Program(base, Person(portal, 1))
        tokens = await one.sign_in()
        await other.code()
        assert tokens.refresh_token
        assert (await other.refresh(tokens.refresh_token)).json()["error"] == "invalid_grant"
        assert (await other.exchange((await one.code())["code"])).json()["error"] == "invalid_grant"


async def test_a_token_for_another_server_is_not_asked_for(serve: Serve, portal: DemoPortal) -> None:
    async with serve(auth=["bitrix24"]) as base:
        came = await Program(base, Person(portal, 7)).code(resource="https://other.example/mcp")
        assert came["error"] == "invalid_target"


async def test_a_token_of_another_resource_is_refused(serve: Serve, folder: Path, portal: DemoPortal) -> None:
    async with serve(auth=["bitrix24"]) as base:
        tokens = await Program(base, Person(portal, 7)).sign_in()
        key = "k" * 32
        grants = GrantStore(FileTokenStore(folder), key.encode())
        own = await grants.by_access(tokens.access_token)
        assert own
        foreign = await grants.begin(own[0].client_id, own[0].sign_in, ["chats"], "https://other.example/mcp")
        lesser = await grants.begin(own[0].client_id, own[0].sign_in, [], f"{base}/mcp")
        assert await answers(base, tokens.access_token) not in {401, 403}
        assert await answers(base, foreign.access_token) == 401
        assert await answers(base, lesser.access_token) == 403


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_a_client_that_revokes_a_token_is_out(serve: Serve, portal: DemoPortal, which: str) -> None:
    async with serve(auth=["bitrix24"]) as base:
        program = Program(base, Person(portal, 7))
        tokens = await program.sign_in()
        async with program.http() as http:
            form = {"token": getattr(tokens, which), "client_id": program.client_id, "client_secret": ""}
            assert (await http.post("/revoke", data=form)).status_code == 200
        assert await answers(base, tokens.access_token) == 401
        assert (await program.refresh(str(tokens.refresh_token))).json()["error"] == "invalid_grant"


async def test_neither_side_s_token_reaches_the_other(serve: Serve, portal: DemoPortal, folder: Path) -> None:
    async with serve(auth=["bitrix24"]) as base:
        person = Person(portal, 7)
        tokens = await Program(base, person).sign_in()
        async with caller(base, Authorization=f"Bearer {tokens.access_token}") as client:
            answer = await client.call_tool("list_recent_chats")
        seen_by_client = person.last + tokens.model_dump_json() + answer.model_dump_json()
        pair = portal.tokens.find(
            await text_of(FileTokenStore(folder), f"{'https://demo.bitrix24.example'}#7") or ""
        )
        assert pair is None
        kept = await text_of(FileTokenStore(folder), f"{ORIGIN}#7") or ""
        assert '"access"' in kept
        for secret in (kept.split('"')[11], kept.split('"')[15]):
            assert len(secret) > 40
            assert secret not in seen_by_client
            assert await answers(base, secret) == 401
        asked = repr([(request.path, request.params) for request in portal.requests])
        assert tokens.access_token not in asked


async def test_a_stolen_refresh_token_ends_the_grant(tmp_path: Path) -> None:
    now = [1_000_000.0]
    grants = GrantStore(FileTokenStore(tmp_path), b"k" * 32, clock=lambda: now[0])
    first = await grants.begin("client", "sign-in", ["chats"], "resource")
    grant = await grants.by_refresh(str(first.refresh_token))
    assert grant
    second = await grants.renew(grant)
    assert await grants.by_refresh(str(first.refresh_token)), "its answer may have been lost on the way"
    now[0] += GRACE + 1
    assert await grants.by_access(second.access_token)
    assert await grants.by_refresh(str(first.refresh_token)) is None
    assert await grants.by_refresh(str(second.refresh_token)) is None
    assert await grants.by_access(second.access_token) is None


async def test_grant_tokens_end_in_time_and_cannot_be_made_up(tmp_path: Path) -> None:
    now = [1_000_000.0]
    grants = GrantStore(FileTokenStore(tmp_path), b"k" * 32, clock=lambda: now[0])
    tokens = await grants.begin("client", "sign-in", ["chats"], "resource")
    assert await grants.by_access(tokens.access_token)
    assert await grants.by_access(tokens.access_token[:-1] + "?") is None
    assert await grants.by_access("") is None
    later = tokens.access_token[:32] + "ffffffff" + tokens.access_token[40:]
    assert await grants.by_access(later) is None
    now[0] += 3601
    assert await grants.by_access(tokens.access_token) is None
    assert await grants.by_refresh(str(tokens.refresh_token))
    now[0] += REFRESH_LIFE
    assert await grants.by_refresh(str(tokens.refresh_token)) is None
