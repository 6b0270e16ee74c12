"""A conversation is a client, our server and the demo portal, in one process and in both protocol eras."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from bitrix24_chat_mcp.app import build_server
from bitrix24_chat_mcp.config import Settings
from bitrix24_chat_mcp.demo import DemoPortal
from bitrix24_chat_mcp.portal.carrier import Carrier, in_process
from conversation import Conversation, Era
from mcp import Client
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.amber import AmberSnapshotExtension
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


class OneForBothEras(AmberSnapshotExtension):
    """What a model reads does not depend on the protocol's era, so one snapshot serves both."""

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        name = super().get_snapshot_name(test_location=test_location, index=index)
        return re.sub(r"\b(auto|legacy)-|\[(auto|legacy)\]", "", name)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(OneForBothEras)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def portal() -> DemoPortal:
    """A demo portal whose clock stands still."""
    return DemoPortal(clock=NOW.timestamp)


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> Era:
    return request.param


@pytest.fixture
def converse(era: Era, portal: DemoPortal) -> Conversation:
    """Return a way to connect to a server of the given settings, whose network is the demo portal."""

    @asynccontextmanager
    async def connect(**settings: object) -> AsyncGenerator[Client]:
        webhook = {"webhook_url": portal.webhook()} if "webhook_url" not in settings else {}
        server = build_server(
            Settings.model_validate({**webhook, **settings}), Carrier(transport=in_process(portal))
        )
        async with Client(server, mode=era) as client:
            yield client

    return connect
