import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from bitrix24_demo_portal import DemoPortal
from support.transport import ASGITransport

NOW = 1_795_262_400.0  # 2026-11-21T15:00:00+03:00

Call = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def anyio_backend() -> object:
    return "asyncio"


@pytest.fixture
def portal() -> DemoPortal:
    """A portal whose clock stands still until a test advances it, and whose bucket is bottomless."""
    return DemoPortal(clock=lambda: NOW, rate=math.inf)


def anonymous(portal: DemoPortal) -> httpx.AsyncClient:
    """Connect without credentials."""
    return httpx.AsyncClient(transport=ASGITransport(portal), base_url="https://demo.bitrix24.example")


@pytest.fixture
async def client(portal: DemoPortal) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=ASGITransport(portal), base_url=portal.webhook(), timeout=60
    ) as client:
        yield client


@pytest.fixture
def call(client: httpx.AsyncClient) -> Call:
    """Call a method as the default user; gives the whole body."""

    async def call(method: str, **params: object) -> dict[str, Any]:
        answer = await client.post(method, json=params)
        return answer.json()

    return call
