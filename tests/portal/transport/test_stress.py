"""A portal that misbehaves at random, for 10,000 calls: all end in time, and nothing stays behind."""

import asyncio
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from random import Random

import anyio
import httpx
import msgspec
import pytest
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import RequestPipeline, open_pipeline
from bitrix24_demo_portal import DemoPortal, Fault
from support.transport import ASGITransport

CALLS, CALLERS = 10_000, 200
USERS = [1, 5, 7]


@dataclass
class Chance(Container[int]):
    """Strikes at random."""

    random: Random
    probability: float

    def __contains__(self, _: object) -> bool:
        return self.random.random() < self.probability


@dataclass
class OpenResponses(httpx.AsyncBaseTransport):
    """Counts the responses that are not closed yet."""

    inner: ASGITransport
    open: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.open += 1
        try:
            response = await self.inner.handle_async_request(request)
        except BaseException:
            self.open -= 1
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = CountedStream(response.stream, self)
        return response


@dataclass
class CountedStream(httpx.AsyncByteStream):
    stream: httpx.AsyncByteStream
    responses: OpenResponses

    def __aiter__(self):  # noqa: ANN204
        return self.stream.__aiter__()

    async def aclose(self) -> None:
        await self.stream.aclose()
        self.responses.open -= 1


def misbehave(demo: DemoPortal, random: Random) -> None:
    faults = [
        (Fault(silent=True), 0.01),
        (Fault(close="before"), 0.02),
        (Fault(close="before", performed=True), 0.02),
        (Fault(close="middle"), 0.02),
        (Fault(html=True), 0.02),
        (Fault(truncate=30), 0.02),
        (Fault(delay=3), 0.05),
        (Fault(delay=15), 0.01),
        (Fault(full_bucket=True), 0.02),
        (Fault(error="OVERLOAD_LIMIT"), 0.01),
        (Fault(error="OPERATION_TIME_LIMIT"), 0.01),
        (Fault(body="[" * 50), 0.01),
        (Fault(redirect="https://new.bitrix24.example"), 0.01),
        (Fault(redirect="https://evil.example.org"), 0.01),
    ]
    for fault, probability in faults:
        demo.fail("*", fault, Chance(random, probability))
    for code in ("INTERNAL_SERVER_ERROR", "ACCESS_ERROR"):
        demo.fail("profile", Fault(error=code), Chance(random, 0.01))
    demo.fail("scope", Fault(error="ERROR_BATCH_METHOD_NOT_ALLOWED"), calls=1)


@dataclass
class Crowd:
    """Callers who ask for their own profile or pin a chat, some of whom give up early."""

    pipeline: RequestPipeline
    demo: DemoPortal
    random: Random
    ended: Counter[str] = field(default_factory=Counter[str])

    async def caller(self) -> None:
        for _ in range(CALLS // CALLERS):
            start, patience = anyio.current_time(), self.random.choice([0.5, 20, 20, 20, 20, 20])
            self.ended[await self.call(self.random.choice(USERS), patience)] += 1
            assert anyio.current_time() - start <= patience + 1e-3
            await anyio.sleep(self.random.randrange(4))

    async def call(self, user: int, patience: float) -> str:
        with anyio.move_on_after(patience if self.random.random() < 0.1 else None):
            try:
                with deadline(patience):
                    return await self.ask(user)
            except PortalError as error:
                return error.code
        return "cancelled"

    async def ask(self, user: int) -> str:
        credentials = parse_webhook(self.demo.webhook(user))
        if self.random.random() < 0.3:
            params = {"DIALOG_ID": str(self.random.choice(USERS)), "PIN": self.random.choice("YN")}
            await self.pipeline.send(Request(credentials, "im.recent.pin", params, writes=True))
        elif self.random.random() < 0.1:
            await self.pipeline.send(Request(credentials, "scope", {}))
        else:
            salt = {"SALT": self.random.randrange(3)}
            profile = await self.pipeline.send(Request(credentials, "profile", salt))
            assert msgspec.json.decode(profile.result)["ID"] == str(user)
        return "answered"


@pytest.mark.parametrize("seed", [1])
async def test_every_call_ends_by_its_deadline_and_nothing_is_left_behind(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    demo = DemoPortal(chats=5, clock=lambda: 1.78e9 + anyio.current_time())
    misbehave(demo, random)
    responses = OpenResponses(ASGITransport(demo))
    client = HttpClient(transport=lambda: responses)
    async with open_pipeline(client, Limits(cache=1), jitter=random) as pipeline:
        tasks_before = len(asyncio.all_tasks())
        crowd = Crowd(pipeline, demo, random)
        async with anyio.create_task_group() as tasks:
            for _ in range(CALLERS):
                tasks.start_soon(crowd.caller)
        await anyio.sleep(1)
        assert pipeline.idle
        assert len(asyncio.all_tasks()) == tasks_before
    await client.aclose()
    assert responses.open == 0
    assert crowd.ended.total() == CALLS
    assert crowd.ended["answered"] > CALLS / 2
    assert crowd.ended["DEADLINE_PASSED"] > 0
    assert crowd.ended["cancelled"] > 0
    assert {"batch", "profile", "im.recent.pin"} <= {request.method for request in demo.requests}
