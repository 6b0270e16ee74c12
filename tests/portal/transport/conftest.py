"""Time in these tests is virtual: a wait takes as long as it says, and no time at all."""

import asyncio
from functools import partial
from typing import Any

import looptime
import pytest

VirtualLoop = looptime.make_event_loop_class(asyncio.SelectorEventLoop)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": partial(VirtualLoop, noop_cycles=1)}
