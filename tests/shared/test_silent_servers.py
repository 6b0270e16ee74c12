"""Servers that fall silent, cut off or killed: both scripts against a real engine, in virtual time."""

import heapq
from dataclasses import dataclass, field
from math import ceil
from random import Random

import pytest
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.shared.servers import HALF_SHARE, SILENT, part_alone

from .test_rate_limit_script import BURST, RATE, Bucket, PortalBucket

DRIFT = 0.995
SERVERS = ["b24:{e:test}:servers", "b24:{e:test}:counts"]


@dataclass
class Alone:
    """The bucket of a server that cannot reach the engine since `cut`: it begins full."""

    count: int
    cut: float
    hoards_until: float = 0.0
    sent: int = 0
    held: float = 0.0
    """How many of them the portal's bucket may still hold."""
    level: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = self.capacity = max(1, BURST // self.count - 2)
        self.at = self.cut

    def send(self, now: float, portal: PortalBucket) -> None:
        """Send what may be sent by now."""
        drained = (now - self.at) * part_alone(now - self.cut, self.count) * RATE
        self.level, self.held = max(0.0, self.level - drained), max(0.0, self.held - drained)
        self.at = now
        while now >= self.hoards_until and self.level + 1 <= self.capacity:
            self.level, self.held, self.sent = self.level + 1, self.held + 1, self.sent + 1
            portal.arrive(now)


class Team:
    """Servers that are always busy and send heartbeats, until they are silenced."""

    def __init__(self, engine: Engine, count: int) -> None:
        self.engine, self.count, self.random = engine, count, Random(count)  # noqa: S311
        self.portal = PortalBucket()
        self.buckets = {Bucket(engine, str(number)): True for number in range(count)}
        self.alone: list[Alone] = []
        self.granted = 0
        self.begin(0.0)

    def begin(self, now: float) -> None:
        """Have all servers busy from now on."""
        self.events = [(now, kind, n, b) for n, b in enumerate(self.buckets) for kind in ("beat", "ask")]
        heapq.heapify(self.events)

    async def beat(self, bucket: Bucket, now: float) -> tuple[int, float]:
        arguments = (bucket.server, self.count, int(SILENT * 1000), int(HALF_SHARE * 1000), int(now * 1000))
        running, free = await self.engine.script("heartbeat", SERVERS, *arguments)
        bucket.rate = RATE * DRIFT * (1 - free / 1_000_000)
        return running, free / 1_000_000

    async def run(self, until: float) -> float:
        """Go on until then; return the rate of what the engine has granted over the portal's."""
        began, self.granted = self.events[0][0], 0
        while self.events[0][0] < until:
            now, kind, order, bucket = heapq.heappop(self.events)
            for alone in self.alone:
                alone.send(now, self.portal)
            if self.buckets[bucket]:
                wait = await (self._beat_at if kind == "beat" else self._ask_at)(bucket, now)
                heapq.heappush(self.events, (now + wait, kind, order, bucket))
        return self.granted / (until - began) / RATE

    async def _beat_at(self, bucket: Bucket, now: float) -> float:
        await self.beat(bucket, now)
        return 5.0

    async def _ask_at(self, bucket: Bucket, now: float) -> float:
        lease, wait = await bucket.ask(now, again=True)
        if lease:
            self.granted += 1
            self.portal.arrive(now)
            bucket.over.append(lease)
        return wait + self.random.uniform(0, 0.01)

    def silence(self, how_many: int) -> list[Bucket]:
        silenced = list(self.buckets)[:how_many]
        self.buckets |= dict.fromkeys(silenced, False)
        return silenced


@pytest.mark.parametrize("hoards", [0.0, 300.0])
@pytest.mark.parametrize(("count", "cut"), [(2, 1), (4, 1), (4, 3), (8, 7)])
async def test_servers_cut_off_from_the_engine_cause_no_503_for_as_long_as_the_cut_lasts(
    engine: Engine, count: int, cut: int, hoards: float
) -> None:
    """The others saturate the portal; those cut off send as soon as they may, or all that was saved up."""
    team = Team(engine, count)
    await team.run(60)
    silenced = team.silence(cut)
    team.alone = [Alone(count, 60, hoards_until=hoards) for _ in silenced]
    await team.run(60 + 3600 / count)
    assert all(alone.sent for alone in team.alone)
    assert team.portal.refused == 0
    now = team.events[0][0]
    for bucket, alone in zip(silenced, team.alone, strict=True):
        await team.beat(bucket, now)
        await bucket.ask(now, sent=ceil(alone.held))
    team.alone = []
    await team.run(now + 60)
    assert team.portal.refused == 0


@pytest.mark.parametrize("outage", [5, 20, 90, 900])
@pytest.mark.parametrize("hoards", [False, True])
async def test_after_an_outage_of_the_engine_all_is_as_before_and_no_503(
    engine: Engine, outage: int, *, hoards: bool
) -> None:
    """All servers go on alone, and tell the engine afterwards what the portal's bucket may still hold."""
    team = Team(engine, 4)
    await team.run(60)
    back = 60.0 + outage
    alone = [Alone(4, 60, hoards_until=back - 1 if hoards else 0) for _ in team.buckets]
    for tick in range(outage * 20):
        for one in alone:
            one.send(60 + tick / 20, team.portal)
    for bucket, one in zip(team.buckets, alone, strict=True):
        await bucket.ask(back, sent=ceil(one.held))
    team.begin(back)
    await team.run(back + 30)
    assert team.portal.refused == 0
    assert await team.run(back + 130) >= 0.98
    assert team.portal.refused == 0


async def test_a_killed_servers_part_of_the_rate_is_free_again_by_itself(engine: Engine) -> None:
    team = Team(engine, 4)
    await team.run(60)
    assert await team.run(160) >= 0.98
    team.silence(1)
    assert await team.run(160 + HALF_SHARE) >= 0.98 * 7 / 8
    await team.run(160 + 1000)
    assert await team.run(160 + 1200) >= 0.98
    assert team.portal.refused == 0


async def test_a_server_that_leaves_in_order_costs_the_others_nothing(engine: Engine) -> None:
    team = Team(engine, 4)
    await team.run(60)
    (gone,) = team.silence(1)
    await engine.run("ZREM", SERVERS[0], gone.server)
    assert await team.run(160) >= 0.98
    assert await team.beat(list(team.buckets)[1], 160) == (3, 0.0)
