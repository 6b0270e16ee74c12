"""How fast we are within the portal's limits, beside a client that makes one request a call.

That client is as good as such a client can be: it keeps its connections, shares our bucket and never
causes a 503.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from statistics import median
from typing import Any

import httpx
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import Credentials, parse_webhook
from bitrix24_chat_mcp.portal.api.errors import ApiError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import RequestPipeline, open_pipeline
from bitrix24_chat_mcp.portal.transport.rate_limit import LeakyBucket
from bitrix24_demo_portal import DemoPortal

from bench.portal import ServedPortal, demo_portal
from bench.table import Row

UNLIMITED = Limits(rate=1000, burst=1_000_000, cache=0)


@dataclass
class OneByOne:
    """A client that makes one request a call, as fast as the bucket allows."""

    client: httpx.AsyncClient
    rate_limiter: LeakyBucket
    caller: Credentials

    async def call(self, address: str, params: dict[str, Any]) -> Any:  # noqa: ANN401
        """Wait for the bucket, and post."""
        while pause := (await self.rate_limiter.try_acquire([self.caller])).wait:  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(pause)
        try:
            response = await self.client.post(address, json=params)
        finally:
            await self.rate_limiter.release()
        return response.raise_for_status() if response.status_code == 503 else response.json()


def rows() -> Generator[Row]:
    """Measure everything; takes about two minutes, most of it the other client's."""
    for measure in (pins, lists, single):
        yield from asyncio.run(measure())


async def pins() -> list[Row]:
    """200 different pins from 20 callers, at 2 a second and 50."""
    async with _opened(2, Limits()) as (pipeline, portal):
        ours = await _timed(_crowd(20, 200, _pin_by(pipeline, _webhook(portal.origin))))
    async with demo_portal(2) as another, httpx.AsyncClient() as client:
        caller = _webhook(another.origin)
        other = OneByOne(client, LeakyBucket(2, 50), caller)
        address = caller.address("im.recent.pin")

        async def pin(number: int) -> None:
            await other.call(address, {"DIALOG_ID": f"chat{1201 + number}", "PIN": "Y"})

        theirs = await _timed(_crowd(20, 200, pin))
    return [
        Row(
            "200 pins from 20 callers at 2/s: one request a call / ours",
            theirs / ours,
            12,
            f"{theirs:.1f} s beside {ours:.1f} s",
            at_least=True,
        ),
        Row("503 seen in these pins", portal.statuses.count(503), 0),
    ]


async def lists() -> list[Row]:
    """200 identical lists at once."""
    async with _opened(2, Limits()) as (pipeline, portal):
        client = Portal(pipeline.send, _webhook(portal.origin))

        async def read(_: int) -> None:
            await client.recent()

        seconds = await _timed(_crowd(200, 200, read))
    count = len(portal.statuses)
    return [Row("HTTP requests for 200 identical lists at once", count, 3, f"{seconds:.2f} s")]


async def single() -> list[Row]:
    """One call on a free bucket, beside a plain request and its JSON decoded."""
    rows: list[Row] = []
    async with _opened(math.inf, UNLIMITED) as (pipeline, portal), httpx.AsyncClient() as client:
        webhook = _webhook(portal.origin)
        for method in ("server.time", "im.recent.get"):

            async def ours(method: str = method) -> None:
                await pipeline.send(Request(webhook, method, {}))

            async def plain(method: str = method) -> None:
                (await client.post(webhook.address(method), json={})).json()

            here, there = await _alternately(ours, plain, 400)
            measured = f"{here * 1000:.2f} ms beside {there * 1000:.2f} ms"
            rows.append(Row(f"one {method} on a free bucket / plain request", here / there, 1.15, measured))
    return rows


def _pin_by(pipeline: RequestPipeline, credentials: Credentials) -> Callable[[int], Awaitable[None]]:
    portal = Portal(pipeline.send, credentials)

    async def pin(number: int) -> None:
        with suppress(ApiError):  # not every kind of chat can be pinned
            await portal.pin(f"chat{1201 + number}", pin=True)

    return pin


async def _crowd(callers: int, calls: int, call: Callable[[int], Awaitable[None]]) -> None:
    async def caller(first: int) -> None:
        for number in range(first, calls, callers):
            await call(number)

    await asyncio.gather(*(caller(first) for first in range(callers)))


async def _alternately(
    one: Callable[[], Awaitable[None]], other: Callable[[], Awaitable[None]], times: int
) -> tuple[float, float]:
    """Time two ways in turn, so that the machine's moods hit both; return the medians in seconds."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for way, seconds in zip((one, other), spent, strict=True):
            seconds.append(await _timed(way()))
    return median(spent[0][20:]), median(spent[1][20:])


async def _timed(work: Awaitable[None]) -> float:
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


@asynccontextmanager
async def _opened(rate: float, limits: Limits) -> AsyncGenerator[tuple[RequestPipeline, ServedPortal]]:
    client = HttpClient()
    async with demo_portal(rate) as portal, open_pipeline(client, limits) as pipeline:
        yield pipeline, portal
        await client.aclose()


def _webhook(origin: str, user: int = 1) -> Credentials:
    return parse_webhook(DemoPortal(chats=300).webhook(user, origin))
