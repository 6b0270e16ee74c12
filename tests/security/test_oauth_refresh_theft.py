"""Stolen OAuth refresh tokens end the grant; processes of one program that share a sign-in keep it."""

from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import pytest
from auth.test_grant_tokens import Program, answers
from bitrix24_chat_mcp.auth.grants import ACCESS_LIFE, GRACE, GrantStore
from bitrix24_chat_mcp.portal.oauth.local_store import FileTokenStore
from bitrix24_demo_portal import DemoPortal
from mcp.server.auth.provider import TokenError
from mcp.shared.auth import OAuthToken
from support.team import Person, Serve

WEEK = 7 * 86400


def tokens_of(answer: httpx.Response) -> OAuthToken:
    assert answer.status_code == 200, answer.text
    return OAuthToken.model_validate(answer.json())


def all_of(folder: Path) -> str:
    return "".join(file.read_text() for file in folder.glob("*.json"))


async def test_an_older_refresh_token_ends_the_grant_of_a_thief_who_has_renewed_twice(
    serve: Serve, portal: DemoPortal
) -> None:
    async with serve(auth=["bitrix24"]) as base:
        program = Program(base, Person(portal, 7))
        victim = await program.sign_in()
        first = tokens_of(await program.refresh(str(victim.refresh_token)))
        second = tokens_of(await program.refresh(str(first.refresh_token)))
        third = tokens_of(await program.refresh(str(second.refresh_token)))
        assert (await program.refresh(str(victim.refresh_token))).json()["error"] == "invalid_grant"
        for stolen in (third, second, first):
            assert (await program.refresh(str(stolen.refresh_token))).json()["error"] == "invalid_grant"
            assert await answers(base, stolen.access_token) == 401


async def test_five_refreshes_at_once_all_get_the_same_tokens(serve: Serve, portal: DemoPortal) -> None:
    async with serve(auth=["bitrix24"]) as base:
        program = Program(base, Person(portal, 7))
        old = await program.sign_in()
        got: list[OAuthToken] = []

        async def refresh() -> None:
            got.append(tokens_of(await program.refresh(str(old.refresh_token))))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(refresh)
        assert len({(one.access_token, one.refresh_token) for one in got}) == 1
        assert got[0].refresh_token != old.refresh_token
        assert await answers(base, got[0].access_token) not in {401, 403}
        assert (await program.refresh(str(got[0].refresh_token))).status_code == 200


@pytest.mark.parametrize("made_up", ["0" * 72, "00000000" + "f" * 64, "", "ffffffff" + "0" * 64])
async def test_a_made_up_refresh_token_ends_nothing(serve: Serve, portal: DemoPortal, made_up: str) -> None:
    async with serve(auth=["bitrix24"]) as base:
        program = Program(base, Person(portal, 7))
        tokens = await program.sign_in()
        guess = str(tokens.refresh_token)[:32] + made_up
        assert (await program.refresh(guess)).json()["error"] == "invalid_grant"
        assert (await program.refresh(tokens.access_token)).json()["error"] == "invalid_grant"
        assert (await program.refresh(str(tokens.refresh_token))).status_code == 200


async def test_the_store_holds_no_token_of_ours(serve: Serve, portal: DemoPortal, folder: Path) -> None:
    async with serve(auth=["bitrix24"]) as base:
        program = Program(base, Person(portal, 7))
        tokens = [await program.sign_in()]
        tokens.append(tokens_of(await program.refresh(str(tokens[0].refresh_token))))
    kept = all_of(folder)
    for one in tokens:
        assert one.access_token[40:] not in kept
        assert str(one.refresh_token)[40:] not in kept


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Process:
    """One of several processes of a program: it reads the shared tokens once, and renews its own copy."""

    grants: GrantStore
    tokens: OAuthToken

    async def renew(self) -> bool:
        try:
            grant = await self.grants.by_refresh(str(self.tokens.refresh_token))
            if grant:
                self.tokens = await self.grants.renew(grant)
        except TokenError:
            return False
        return grant is not None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def grants(tmp_path: Path, clock: Clock) -> GrantStore:
    return GrantStore(FileTokenStore(tmp_path), b"k" * 32, clock=clock)


async def test_two_processes_that_refresh_their_own_copies_are_signed_in_after_a_week(
    grants: GrantStore, clock: Clock
) -> None:
    shared = await grants.begin("client", "sign-in", ["chats"], "resource")
    one, other = Process(grants, shared), Process(grants, shared)
    end = clock() + WEEK
    while clock() < end:
        clock.now += int(one.tokens.expires_in or 0)
        lag = clock() % (GRACE - 1)  # they wake when the token ends, and not at the very same time
        assert await one.renew()
        clock.now += lag
        assert await other.renew()
        assert one.tokens.refresh_token == other.tokens.refresh_token
        assert other.tokens.expires_in == ACCESS_LIFE - int(lag), "so both wake at the same time again"
        assert await grants.by_access(one.tokens.access_token)
        one, other = Process(grants, other.tokens), one  # now one goes first, now the other


async def test_a_refresh_token_stolen_and_used_later_ends_the_grant(grants: GrantStore, clock: Clock) -> None:
    shared = await grants.begin("client", "sign-in", ["chats"], "resource")
    owner, thief = Process(grants, shared), Process(grants, shared)
    clock.now += ACCESS_LIFE
    assert await owner.renew()
    clock.now += GRACE
    assert not await thief.renew()
    assert not await owner.renew()
    assert await grants.by_access(owner.tokens.access_token) is None


async def test_asking_again_does_not_prolong_the_time_for_asking_again(
    grants: GrantStore, clock: Clock
) -> None:
    shared = await grants.begin("client", "sign-in", ["chats"], "resource")
    owner = Process(grants, shared)
    assert await owner.renew()
    for _ in range(2):
        clock.now += GRACE - 31
        assert await Process(grants, shared).renew()
    clock.now += 2
    assert not await Process(grants, shared).renew()
