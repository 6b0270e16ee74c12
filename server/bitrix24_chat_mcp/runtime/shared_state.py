"""What this server shares with others, where `shared.url` is set: put together from the settings."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio

from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.oauth.token_store import TokenStore
from bitrix24_chat_mcp.portal.shared.engine import Engine, EngineSetupError
from bitrix24_chat_mcp.portal.shared.epochs import SharedEpochs
from bitrix24_chat_mcp.portal.shared.one_time_marks import SharedMarks
from bitrix24_chat_mcp.portal.shared.rate_limit import SharedRateLimiter
from bitrix24_chat_mcp.portal.shared.refusals import SharedRefusals
from bitrix24_chat_mcp.portal.shared.servers import Servers
from bitrix24_chat_mcp.portal.shared.token_store import SharedTokenStore
from bitrix24_chat_mcp.portal.transport.rate_limit import RateLimiter
from bitrix24_chat_mcp.settings.load import ConfigError, Settings


@dataclass(frozen=True, slots=True)
class SharedState:
    """The engine, and what lies in it.

    `tokens` and `marks` are None over stdio: there each machine keeps its own sign-in, and only the rate
    limit and the epochs are shared, which hold no secret.
    """

    engine: Engine
    epochs: SharedEpochs
    servers: Servers
    rate_limiter: Callable[[str], RateLimiter]
    tokens: TokenStore | None = None
    marks: SharedMarks | None = None

    def refusals(self, kind: str) -> SharedRefusals:
        """Return the count of refused attempts of one kind, at all servers."""
        return SharedRefusals(self.engine, kind)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Take part while the block lasts; close the connections in the end."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.servers.run)
                try:
                    yield
                finally:
                    tasks.cancel_scope.cancel()
        finally:
            await self.engine.aclose()


def connect(settings: Settings, url: str) -> SharedState:
    """Prepare the engine at `url`, without touching the network yet. Raises ConfigError."""
    try:
        engine = Engine(url)
    except EngineSetupError as error:
        raise ConfigError(f"shared.url: {error}") from None
    limits, servers = settings.limits, Servers(engine, settings.shared.egress)
    limiter = partial(
        SharedRateLimiter, engine, servers, rate=limits.rate, burst=limits.burst, deadline=limits.deadline
    )
    over_http = settings.transport == "http"
    return SharedState(
        engine,
        SharedEpochs(engine),
        servers,
        lambda portal: limiter(f"{portal}\n{settings.shared.egress}"),
        SharedTokenStore(engine, Sealer(*settings.http.key_ring())) if over_http else None,
        SharedMarks(engine) if over_http else None,
    )


async def check(url: str) -> str:
    """Ask the engine at `url` once, and return its version. Raises ConfigError."""
    try:
        engine = Engine(url)
        try:
            return await engine.check()
        finally:
            await engine.aclose()
    except EngineSetupError as error:
        raise ConfigError(f"shared.url: {error}") from None
