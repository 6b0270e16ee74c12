"""A conversation is a client, our server and the demo portal, in one process and in both protocol eras."""

import re
from functools import partial

import pytest
from bitrix24_demo_portal import DemoPortal
from hypothesis import Phase, settings
from support.conversation import NOW, Conversation, Era, connected
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.amber import AmberSnapshotExtension
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

settings.register_profile("unhurried", deadline=None, phases=set(Phase) - {Phase.explain})
settings.load_profile("unhurried")


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
    return partial(connected, portal, era)
