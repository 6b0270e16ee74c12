"""The portal's bucket never overflows by our doing, whatever happens on the way to it."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import ApiError
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import open_pipeline
from bitrix24_demo_portal import DemoPortal, Fault
from support.harness import open_harness
from support.transport import ASGITransport


@dataclass
class PortalBucket:
    """The documented bucket by another method: whole drops that fall out at whole ticks."""

    rate: float
    burst: int
    tick: float
    level: float = 0
    ticks: int = 0
    highest: float = 0
    refused: int = 0

    def arrive(self, now: float) -> None:
        ticks = int(now / self.tick)
        self.level = max(0.0, self.level - (ticks - self.ticks) * self.tick * self.rate)
        self.ticks = ticks
        self.level += 1
        self.highest = max(self.highest, self.level)
        if self.level > self.burst:
            self.refused += 1
            self.level -= 1


@dataclass
class SlowNetwork(httpx.AsyncBaseTransport):
    """A network that keeps requests as long as it likes, both ways, and a counter at its end."""

    demo: DemoPortal
    there: Callable[[], float]
    back: Callable[[], float]
    counter: PortalBucket
    inner: ASGITransport = field(init=False)

    def __post_init__(self) -> None:
        self.inner = ASGITransport(self.demo)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(self.there())
        self.counter.arrive(anyio.current_time())
        response = await self.inner.handle_async_request(request)
        await anyio.sleep(self.back())
        return response


def jam(random: Random) -> Callable[[], float]:
    """Return a network that is quick most of the time, and now and then holds everything back for 8 s."""

    def delay() -> float:
        into = anyio.current_time() % 30
        return 8 - into if into < 8 else random.uniform(0, 0.2)

    return delay


NETWORKS: dict[str, Callable[[Random], Callable[[], float]]] = {
    "none": lambda _: lambda: 0.0,
    "even": lambda _: lambda: 0.15,
    "uneven": lambda random: lambda: random.uniform(0, 3),
    "jammed": jam,
}


async def pin_all(portal: Portal, callers: int, pins: int) -> int:
    """Pin different chats from many callers at once; return how often the portal answered."""
    done = 0

    async def caller(first: int) -> None:
        nonlocal done
        for number in range(first, pins, callers):
            with suppress(ApiError):  # some chats cannot be pinned; that is an answer, too
                await portal.pin(f"chat{1201 + number}", pin=True)
            done += 1

    async with anyio.create_task_group() as tasks:
        for first in range(callers):
            tasks.start_soon(caller, first)
    return done


@pytest.mark.parametrize("tick", [0.001, 0.5, 1.0])
@pytest.mark.parametrize("network", NETWORKS)
async def test_rate_limit_holds_for_200_pins_from_20_callers_on_any_network(
    network: str, tick: float
) -> None:
    start = anyio.current_time()
    demo = DemoPortal(chats=260, rate=math.inf, clock=lambda: 1.78e9 + anyio.current_time())
    delay = NETWORKS[network](Random(7))  # noqa: S311
    counter = PortalBucket(rate=2, burst=50, tick=tick)
    client = HttpClient(transport=lambda: SlowNetwork(demo, delay, delay, counter), timeout=60)
    async with open_pipeline(client, Limits(deadline=300)) as pipeline:
        assert await pin_all(Portal(pipeline.send, parse_webhook(demo.webhook())), 20, 200) == 200
    assert counter.refused == 0
    assert counter.highest > 40  # the burst is used, not shunned
    assert anyio.current_time() - start < 120
    await client.aclose()


@pytest.mark.parametrize(("rate", "burst"), [(5, 250), (2, 50), (1, 10), (0.5, 1)])
async def test_rate_limit_of_any_plan_is_never_exceeded_at_the_demo_portal(rate: float, burst: int) -> None:
    limits = Limits(rate=rate, burst=burst, deadline=600)
    async with open_harness(limits, chats=260, rate=rate, burst=burst) as harness:
        assert await pin_all(harness.user, 20, 200) == 200
        assert "QUERY_LIMIT_EXCEEDED" not in {request.error for request in harness.demo.requests}


async def test_rate_limit_delays_no_call_while_the_bucket_has_room() -> None:
    async with open_harness() as harness:
        start = anyio.current_time()
        for _ in range(40):
            await harness.ask("server.time", number=1, salt=str(_))
        assert anyio.current_time() == start
        assert harness.methods == ["server.time"] * 40


async def test_rate_limit_learns_from_a_503_that_others_use_its_address() -> None:
    async with open_harness(chats=260) as harness:
        harness.demo.fail("*", Fault(full_bucket=True), calls=1)
        start = anyio.current_time()
        assert await pin_all(harness.user, 20, 200) == 200
        assert [request.error for request in harness.demo.requests].count("QUERY_LIMIT_EXCEEDED") <= 40
        assert anyio.current_time() - start < 15


async def test_rate_limit_sends_nothing_after_a_503_until_a_place_has_drained() -> None:
    async with open_harness(chats=260) as harness:
        harness.demo.fail("*", Fault(full_bucket=True), calls=1)
        await harness.ask("server.time")
        assert harness.demo.requests[1].time - harness.demo.requests[0].time >= 0.4
        for number in range(6):
            await harness.ask("server.time", salt=str(number))
        times = [request.time for request in harness.demo.requests[1:]]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps) >= 0.49
        assert [request.status for request in harness.demo.requests][1:] == [200] * 7


async def test_rate_limit_is_kept_for_each_portal() -> None:
    async with open_harness(Limits(rate=0.1, burst=1), rate=math.inf) as harness:
        other = parse_webhook(harness.demo.webhook(base="https://other.example"))
        start = anyio.current_time()
        await harness.ask("server.time")
        await Portal(harness.pipeline.send, other).recent()
        assert anyio.current_time() == start
