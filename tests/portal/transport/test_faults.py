"""Every failure that the demo portal can produce: what comes of it, at what price, in which words."""

import math
from dataclasses import dataclass
from typing import Literal

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault
from support.harness import Harness, open_harness
from syrupy.assertion import SnapshotAssertion

Company = Literal["alone", "in a batch"]
Kind = Literal["read", "write"]
Plan = tuple[tuple[Fault, str], ...]

# A bucket so slow that calls which fail together wait together again; patience for all of that.
SLOW = Limits(rate=0.2, burst=1, deadline=120, cache=0)
ATTEMPTS = SLOW.attempts

# fault -> how it looks. Those that pass are tried again, the others cost one request.
PASSING = {
    "503 QUERY_LIMIT_EXCEEDED": Fault(error="QUERY_LIMIT_EXCEEDED"),
    "500 INTERNAL_SERVER_ERROR": Fault(error="INTERNAL_SERVER_ERROR"),
    "500 ERROR_UNEXPECTED_ANSWER": Fault(error="ERROR_UNEXPECTED_ANSWER"),
    "500 ERROR_CORE": Fault(error="ERROR_CORE"),
    "500 of an unknown code": Fault(error="SOMETHING_NEW", status=500),
    "401 CONNECTION_ERROR": Fault(error="CONNECTION_ERROR"),
    "502 page of a proxy": Fault(html=True),
    "504 page of a proxy": Fault(html=True, status=504),
    "500 without a body": Fault(status=500),
    "200 without a body": Fault(status=200),
    "200, truncated": Fault(truncate=40),
    "500 with odd JSON": Fault(status=500, body=[1, 2]),
    "connection closed before the answer": Fault(close="before"),
    "connection closed before the answer, performed": Fault(close="before", performed=True),
    "connection closed in the middle of the answer": Fault(close="middle"),
    "silence": Fault(silent=True),
    "502 page, performed": Fault(html=True, performed=True),
}
LASTING_CODES = [
    "ACCESS_DENIED",
    "ACCESS_ERROR",
    "APPLICATION_NOT_FOUND",
    "AUTHORIZATION_ERROR",
    "CHAT_ID_EMPTY",
    "DIALOG_ID_EMPTY",
    "ERROR_ARGUMENT",
    "ERROR_OAUTH",
    "EXPIRED_TOKEN",
    "INSUFFICIENT_SCOPE",
    "INVALID_CREDENTIALS",
    "INVALID_REQUEST",
    "INVALID_TOKEN",
    "METHOD_CONFIRM_DENIED",
    "METHOD_CONFIRM_WAITING",
    "NO_AUTH_FOUND",
    "OVERLOAD_LIMIT",
    "PORTAL_DELETED",
    "USER_ACCESS_ERROR",
    "WRONG_AUTH_TYPE",
    "WRONG_ENCODING",
    "WRONG_LICENSE",
    "FIND_SHORT",
    "FIRST_ID_STRING",
    "LAST_ID_STRING",
]
LASTING = {
    "401 page of a proxy": Fault(html=True, status=401),
    "403 page of a proxy": Fault(html=True, status=403),
    "200 page of a captive portal": Fault(html=True, status=200),
    "200 with odd JSON": Fault(body={"hello": "world"}),
    "302 to another customer's domain": Fault(redirect="https://evil.example.org"),
    "302 to plain http": Fault(redirect="http://demo.bitrix24.example"),
    "302 to nowhere": Fault(status=302, headers={"location": "https://["}),
    **{f"the code {code}": Fault(error=code) for code in LASTING_CODES},
    "OVERLOAD_LIMIT with the documented 503": Fault(error="OVERLOAD_LIMIT", status=503),
    "PORTAL_DELETED with the documented 500": Fault(error="PORTAL_DELETED", status=500),
}
# Slow is not broken.
HARMLESS = {"a delay": Fault(delay=5), "byte by byte": Fault(drip=0.001)}


@dataclass
class Outcome:
    """What a caller got, and how many requests it took."""

    got: object
    requests: int

    @property
    def text(self) -> str:
        return str(self.got)


async def make(kind: Kind, company: Company, *plan: tuple[Fault, str]) -> Outcome:
    """Make one call while the chosen requests fail, and tell what came of it."""
    async with open_harness(SLOW, chats=5, rate=math.inf) as harness:
        if company == "in a batch":
            return await _in_a_batch(harness, kind, plan)
        _fail(harness, plan)
        got = await _call(harness, kind)
        return Outcome(got, len(harness.demo.requests))


async def _in_a_batch(harness: Harness, kind: Kind, plan: Plan) -> Outcome:
    """Let two calls wait, so that they travel together; both meet the same fate."""
    await harness.ask("server.time")
    _fail(harness, plan)
    harness.demo.requests.clear()
    got: list[object] = []
    async with anyio.create_task_group() as tasks:

        async def first() -> None:
            got.append(await _call(harness, kind))

        tasks.start_soon(first)
        tasks.start_soon(_call, harness, kind, "6")
    assert harness.methods[0] == "batch"
    return Outcome(got[0], len(harness.demo.requests))


def _fail(harness: Harness, plan: Plan) -> None:
    for fault, calls in plan:
        harness.demo.fail("*", fault, calls=calls)


async def _call(harness: Harness, kind: Kind, other: str = "5") -> object:
    try:
        if kind == "write":
            return await harness.user.pin(other, pin=True)
        return await harness.user.recent(["skip_chat"] if other == "6" else [])
    except PortalError as error:
        return error


def says(outcome: Outcome, *parts: str) -> bool:
    return all(part in outcome.text for part in parts)


@pytest.mark.parametrize("company", ["alone", "in a batch"])
@pytest.mark.parametrize("kind", ["read", "write"])
class TestFaults:
    @pytest.mark.parametrize("name", PASSING)
    @pytest.mark.parametrize("failing", [1, 2])
    async def test_a_failure_that_passes_costs_one_more_request_each(
        self, kind: Kind, company: Company, name: str, failing: int
    ) -> None:
        outcome = await make(kind, company, (PASSING[name], f"1-{failing}"))
        assert not isinstance(outcome.got, PortalError)
        assert outcome.requests == failing + 1

    @pytest.mark.parametrize("name", PASSING)
    async def test_a_failure_that_stays_is_told_after_the_last_attempt(
        self, kind: Kind, company: Company, name: str, snapshot: SnapshotAssertion
    ) -> None:
        outcome = await make(kind, company, (PASSING[name], f"1-{ATTEMPTS}"))
        assert isinstance(outcome.got, PortalError)
        assert outcome.requests == ATTEMPTS
        assert says(outcome, f"It was tried {ATTEMPTS} times.")
        assert outcome.text == snapshot

    @pytest.mark.parametrize("name", LASTING)
    async def test_a_refusal_that_cannot_change_costs_one_request(
        self, kind: Kind, company: Company, name: str, snapshot: SnapshotAssertion
    ) -> None:
        outcome = await make(kind, company, (LASTING[name], "1-"))
        assert isinstance(outcome.got, PortalError)
        assert outcome.requests == 1
        assert outcome.text == snapshot

    @pytest.mark.parametrize("name", LASTING)
    async def test_a_refusal_that_cannot_change_ends_the_attempts_whenever_it_comes(
        self, kind: Kind, company: Company, name: str
    ) -> None:
        outcome = await make(kind, company, (LASTING[name], "1-"), (Fault(html=True), "1-2"))
        assert isinstance(outcome.got, PortalError)
        assert outcome.requests == 3
        assert says(outcome, "It was tried 3 times.")

    @pytest.mark.parametrize("name", HARMLESS)
    async def test_a_slow_answer_is_waited_for(self, kind: Kind, company: Company, name: str) -> None:
        outcome = await make(kind, company, (HARMLESS[name], "1-"))
        assert not isinstance(outcome.got, PortalError)
        assert outcome.requests == 1
