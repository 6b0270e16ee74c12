"""Tokens expire, and nobody notices; where that cannot be, the model reads what its user must do."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from conftest import NOW
from conversation import text

from .conftest import Connect, renewals

Kept = Callable[[], dict[str, str]]


def expire(portal: DemoPortal) -> None:
    portal.tokens.expire(portal.now())


def a_call_of_its_own(number: int) -> dict[str, object]:
    """Arguments that no other call has, so that it shares its request with nobody."""
    return {"limit": 1, "last_sync_date": (NOW - timedelta(hours=1, seconds=number)).isoformat()}


async def test_a_signed_in_user_lists_chats_and_no_address_holds_a_token(
    connect: Connect, kept: Kept, portal: DemoPortal
) -> None:
    async with connect() as client:
        answer = await client.call_tool("list_recent_chats", {"limit": 1})
    assert not answer.is_error, text(answer)
    assert [request.user for request in portal.requests] == [1]
    assert kept()["access"] not in json.dumps([request.as_json() for request in portal.requests])


async def test_an_expired_token_is_renewed_once_and_kept_before_it_is_used(
    connect: Connect, kept: Kept, portal: DemoPortal
) -> None:
    before = kept()
    expire(portal)
    async with connect() as client:
        assert not (await client.call_tool("list_recent_chats")).is_error
        assert not (await client.call_tool("list_recent_chats")).is_error
    assert [request.method for request in portal.requests] == [
        "im.recent.get",
        "oauth.token",
        "im.recent.get",
        "im.recent.get",
    ]
    after = kept()
    assert after["access"] != before["access"]
    assert after["refresh"] != before["refresh"]
    assert (after["portal"], after["user"]) == (before["portal"], before["user"])


async def test_two_hundred_callers_at_the_moment_of_expiry_cause_one_renewal(
    connect: Connect, kept: Kept, portal: DemoPortal
) -> None:
    assert kept()
    expire(portal)
    failed: list[bool] = []

    async with connect() as client, anyio.create_task_group() as tasks:

        async def ask(number: int) -> None:
            answer = await client.call_tool("list_recent_chats", a_call_of_its_own(number))
            failed.append(bool(answer.is_error))

        for number in range(200):
            tasks.start_soon(ask, number)
    assert failed == [False] * 200
    assert renewals(portal) == 1


async def test_two_hundred_callers_share_a_refused_renewal_too(
    connect: Connect, kept: Kept, portal: DemoPortal
) -> None:
    portal.tokens.refresh(kept()["refresh"], portal.now(), rotate=True)  # somebody else has used it
    portal.fail("im.recent.get", Fault(error="EXPIRED_TOKEN", status=401))
    said: list[str] = []

    async with connect() as client, anyio.create_task_group() as tasks:

        async def ask(number: int) -> None:
            said.append(text(await client.call_tool("list_recent_chats", a_call_of_its_own(number))))

        for number in range(200):
            tasks.start_soon(ask, number)
    assert {line.split(":")[0] for line in said} == {"NOT_SIGNED_IN"}
    assert renewals(portal) == 1


async def test_another_process_s_renewal_is_found_and_not_repeated(
    connect: Connect, kept: Kept, portal: DemoPortal
) -> None:
    assert kept()
    async with connect() as one, connect() as other:
        expire(portal)
        async with anyio.create_task_group() as tasks:
            for client in (one, other) * 5:
                tasks.start_soon(client.call_tool, "list_recent_chats")
        assert not (await one.call_tool("list_recent_chats")).is_error
        assert not (await other.call_tool("list_recent_chats")).is_error
    assert renewals(portal) == 1


async def test_a_used_refresh_token_says_to_log_in_again_and_is_tried_once(
    connect: Connect, kept: Kept, portal: DemoPortal
) -> None:
    expire(portal)
    portal.tokens.refresh(kept()["refresh"], portal.now(), rotate=False)
    portal.tokens.refresh(kept()["refresh"], portal.now(), rotate=True)
    portal.fail("im.recent.get", Fault(error="expired_token", status=401))
    async with connect() as client:
        first = await client.call_tool("list_recent_chats")
        again = await client.call_tool("list_recent_chats")
    for answer in (first, again):
        assert answer.is_error
        assert text(answer).startswith("NOT_SIGNED_IN: ")
        assert "bitrix24-chat-mcp login" in text(answer)
    assert renewals(portal) == 1


async def test_nobody_signed_in_is_told_with_the_next_step_and_needs_no_restart(
    connect: Connect, portal: DemoPortal, request: pytest.FixtureRequest
) -> None:
    async with connect() as client:
        answer = await client.call_tool("list_recent_chats")
        assert text(answer).startswith("NOT_SIGNED_IN: ")
        assert "bitrix24-chat-mcp login" in text(answer)
        assert not portal.requests
        request.getfixturevalue("kept")
        assert not (await client.call_tool("list_recent_chats")).is_error


@pytest.mark.parametrize(
    ("switch", "expired", "code"),
    [
        ({"uninstalled": True}, False, "ERROR_OAUTH"),
        ({"uninstalled": True}, True, "NOT_INSTALLED"),
        ({"unpaid": True}, True, "PAYMENT_REQUIRED"),
        ({"restricted": {1}}, False, "USER_ACCESS_ERROR"),
        ({"revoked": {1}}, False, "AUTHORIZATION_ERROR"),
        ({"client_secret": "another"}, True, "INVALID_CLIENT"),
        ({"client_id": "another"}, True, "WRONG_CLIENT"),
    ],
)
async def test_what_an_administrator_must_mend_is_told_and_the_sign_in_survives(
    connect: Connect,
    kept: Kept,
    portal: DemoPortal,
    switch: dict[str, object],
    *,
    expired: bool,
    code: str,
) -> None:
    before = {name: getattr(portal, name) for name in switch}
    async with connect() as client:
        for name, value in switch.items():
            setattr(portal, name, value)
        if expired:
            portal.fail("im.recent.get", Fault(error="expired_token", status=401), "1")
        answer = await client.call_tool("list_recent_chats")
        assert text(answer).startswith(f"{code}: ")
        for name, value in before.items():
            setattr(portal, name, value)
        assert not (await client.call_tool("list_recent_chats")).is_error
    assert kept()


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_wrong_by_an_hour_changes_nothing(
    connect: Connect, portal: DemoPortal, request: pytest.FixtureRequest, hours: int
) -> None:
    portal.advance(hours * 3600)
    request.getfixturevalue("kept")
    async with connect() as client:
        assert not (await client.call_tool("list_recent_chats")).is_error
        assert renewals(portal) == 0
        portal.advance(3601)
        assert not (await client.call_tool("list_recent_chats")).is_error
        assert renewals(portal) == 1


async def test_a_renewal_that_gets_no_answer_is_tried_again_with_the_next_call(
    connect: Connect, kept: Kept, portal: DemoPortal
) -> None:
    assert kept()
    expire(portal)
    portal.fail("oauth.token", Fault(html=True, status=502), "1")
    async with connect() as client:
        assert (await client.call_tool("list_recent_chats")).is_error
        assert not (await client.call_tool("list_recent_chats")).is_error


async def test_a_full_disk_is_found_out_before_the_old_pair_is_dead(
    connect: Connect, kept: Kept, portal: DemoPortal, folder: Path
) -> None:
    assert kept()
    expire(portal)
    drafts = [file.with_suffix(".new") for file in folder.glob("*.json")]
    for draft in drafts:
        draft.mkdir()  # no new text can be written there
    async with connect() as client:
        answer = await client.call_tool("list_recent_chats")
        assert text(answer).startswith("SIGN_IN_NOT_KEPT: ")
        assert renewals(portal) == 0
        for draft in drafts:
            draft.rmdir()
        assert not (await client.call_tool("list_recent_chats")).is_error
