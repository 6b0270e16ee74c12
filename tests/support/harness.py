"""A demo portal, a pipeline to it and a user, all on virtual time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import Webhook, parse_webhook
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import MIB, Limits
from bitrix24_chat_mcp.portal.transport.pipeline import CACHE_BYTES, RequestPipeline, open_pipeline
from bitrix24_demo_portal import DemoPortal

from support.transport import ASGITransport

DAY_ONE = 1_780_000_000.0


@dataclass
class Harness:
    """What a test of the pipeline needs; `user` is the portal's default user."""

    demo: DemoPortal
    client: HttpClient
    pipeline: RequestPipeline
    user: Portal = field(init=False)

    def __post_init__(self) -> None:
        self.user = self.of(1)

    def of(self, number: int) -> Portal:
        return Portal(self.pipeline.send, self.webhook(number))

    def webhook(self, number: int = 1) -> Webhook:
        return parse_webhook(self.demo.webhook(number))

    async def ask(self, method: str, number: int = 1, salt: object = "") -> ApiResult:
        """Call a method for a user; the portal ignores the salt, which makes reads differ."""
        return await self.pipeline.send(Request(self.webhook(number), method, {"SALT": str(salt)}))

    @property
    def methods(self) -> list[str]:
        """The methods of all requests that reached the portal."""
        return [request.method for request in self.demo.requests]


@asynccontextmanager
async def open_harness(
    limits: Limits | None = None,
    *,
    max_bytes: int = 64 * MIB,
    cache_bytes: int = CACHE_BYTES,
    **switches: Any,
) -> AsyncGenerator[Harness]:
    """Open a pipeline to a demo portal; at its end no caller may still wait."""
    start = anyio.current_time()
    switches.setdefault("clock", lambda: DAY_ONE + anyio.current_time() - start)
    demo = DemoPortal(**switches)
    client = HttpClient(max_bytes=max_bytes, transport=lambda: ASGITransport(demo))
    async with open_pipeline(client, limits, cache_bytes=cache_bytes, jitter=Random(4)) as pipeline:  # noqa: S311
        yield Harness(demo, client, pipeline)
        await anyio.sleep(3)
        assert pipeline.idle
    await client.aclose()
