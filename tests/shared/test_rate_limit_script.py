"""The bucket's script against a real engine; the time is an argument, so no test waits."""

import heapq
import secrets
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest
from bitrix24_chat_mcp.portal.shared.engine import Engine

RATE, BURST, CAPACITY, NEW_LEVEL = 2.0, 50, 35, 23
PARTS = ("level", "leases", "queue", "waiting", "due", "turns")
KEYS = [f"b24:{{p:test}}:{part}" for part in PARTS]


@dataclass(eq=False)
class Bucket:
    """The script as one server calls it. Times are in seconds."""

    engine: Engine
    server: str
    known: str = ""
    over: list[str] = field(default_factory=list[str])
    rate: float = RATE
    served: Counter[str] = field(default_factory=Counter[str])
    """How many places each caller has got here."""

    async def ask(
        self,
        now: float,
        *callers: str,
        lease: str | None = None,
        full: bool = False,
        again: bool = False,
        sent: int = 0,
    ) -> tuple[str, float]:
        """Ask for a place, for the server's only caller or those named.

        Returns its lease, or "", and the seconds to wait.
        """
        lease = secrets.token_hex(4) if lease is None else lease
        callers = callers or (f"caller-of-{self.server}",)
        over, self.over = self.over, []
        granted, wait, known, _ = await self.engine.script(
            "rate_limit",
            KEYS,
            *(self.rate, CAPACITY, NEW_LEVEL, self.server, lease, 30_000),
            *(self.known, secrets.token_hex(4), int(full), sent, int(again)),
            *(int(now * 1000), len(callers), *callers, *over),
        )
        self.known = known.decode()
        self.served[granted.decode()] += 1
        return (lease if granted else ""), wait / 1000


class PortalBucket:
    """The portal's own bucket, as documented."""

    def __init__(self, level: float = 0.0) -> None:
        self.level, self.at, self.refused = level, 0.0, 0

    def arrive(self, now: float) -> None:
        self.level = max(0.0, self.level - (now - self.at) * RATE) + 1
        self.at = now
        if self.level > BURST:
            self.refused += 1
            self.level -= 1


async def fill(bucket: Bucket, now: float) -> list[str]:
    leases: list[str] = []
    while lease := (await bucket.ask(now))[0]:
        leases.append(lease)
    return leases


@pytest.mark.parametrize("count", [1, 2, 4, 8])
async def test_saturated_servers_get_the_portals_rate_in_equal_shares_and_no_503(
    engine: Engine, count: int
) -> None:
    """A network that takes up to a second each way; each server asks again when it was told to."""
    random = Random(count)  # noqa: S311
    portal, seconds, start = PortalBucket(), 200.0, 60.0
    shares, asks = dict.fromkeys(range(count), 0), 0
    servers = [Bucket(engine, str(number)) for number in range(count)]
    events: list[tuple[float, int, str, int, str]] = [(0.0, n, "ask", n, "") for n in range(count)]
    while events and events[0][0] < seconds:
        now, order, kind, number, lease = heapq.heappop(events)
        if kind == "arrive":
            portal.arrive(now)
            heapq.heappush(events, (now + random.uniform(0, 1), order, "over", number, lease))
        elif kind == "over":
            servers[number].over.append(lease)
        else:
            lease, wait = await servers[number].ask(now, again=True)
            asks += now >= start
            if lease:
                shares[number] += now >= start
                heapq.heappush(events, (now + random.uniform(0, 1), order + 1000, "arrive", number, lease))
            heapq.heappush(events, (now + wait + random.uniform(0, 0.01), order + 1000, "ask", number, ""))
    granted = sum(shares.values())
    assert portal.refused == 0
    assert granted / (seconds - start) / RATE >= 0.98
    assert all(abs(share - granted / count) <= granted / count / 4 for share in shares.values()), shares
    assert asks / granted <= 2


async def test_a_killed_servers_place_is_free_again_by_itself(engine: Engine) -> None:
    killed, other = Bucket(engine, "killed"), Bucket(engine, "other")
    await killed.ask(0)
    held = await fill(killed, 100)
    assert len(held) == CAPACITY
    same = "caller-of-killed"
    assert await other.ask(100, same) == ("", 1.0), "behind the killed server, which waits in the queue"
    assert not (await other.ask(129, same))[0], "its requests are under way, as far as anybody knows"
    assert (await other.ask(131, same))[0]


async def test_a_request_under_way_does_not_drain_however_long_the_network_holds_it(engine: Engine) -> None:
    bucket = Bucket(engine, "one")
    await bucket.ask(0)
    held = await fill(bucket, 100)
    assert not (await bucket.ask(120))[0]
    bucket.over += held[:1]
    assert (await bucket.ask(120)) == ("", 0.5), "it drains from now on"
    assert (await bucket.ask(120.6))[0]


async def test_an_engine_that_lost_its_data_begins_with_a_full_bucket(engine: Engine) -> None:
    bucket, idle = Bucket(engine, "one"), Bucket(engine, "idle")
    await bucket.ask(0)
    await idle.ask(0)
    await engine.run("FLUSHALL")
    assert (await bucket.ask(100)) == ("", 0.5)
    assert not (await idle.ask(100))[0]


async def test_a_new_bucket_grants_no_more_than_is_always_left_in_the_portals(engine: Engine) -> None:
    assert len(await fill(Bucket(engine, "new"), 0)) == CAPACITY - NEW_LEVEL
    assert BURST - CAPACITY >= CAPACITY - NEW_LEVEL


async def test_a_503_fills_the_bucket_for_all(engine: Engine) -> None:
    refused, other = Bucket(engine, "refused"), Bucket(engine, "other")
    await refused.ask(0)
    await other.ask(100)
    await refused.ask(100, lease="", full=True)
    assert not (await other.ask(100))[0]


async def test_an_engines_clock_that_is_set_back_grants_nothing_early(engine: Engine) -> None:
    bucket = Bucket(engine, "one")
    await bucket.ask(0)
    bucket.over = await fill(bucket, 100)
    assert not (await bucket.ask(40))[0]
    assert (await bucket.ask(41.1))[0]


async def saturate(
    servers: dict[Bucket, list[str]], portal: PortalBucket, start: float, end: float, random: Random
) -> None:
    """Let callers wait at their servers all the time, which ask again when they were told to."""
    events: list[tuple[float, int, Bucket]] = [
        (start, number, bucket) for number, bucket in enumerate(servers)
    ]
    while events[0][0] < end:
        now, order, bucket = heapq.heappop(events)
        lease, wait = await bucket.ask(now, *servers[bucket], again=True)
        if lease:
            portal.arrive(now)
            bucket.over.append(lease)
        heapq.heappush(events, (now + wait + random.uniform(0, 0.01), order, bucket))


async def test_a_caller_with_much_traffic_on_two_servers_gets_no_more_turns_than_others(
    engine: Engine,
) -> None:
    portal, random = PortalBucket(), Random(1)  # noqa: S311
    a, b = Bucket(engine, "a"), Bucket(engine, "b")
    servers = {a: ["busy", "one"], b: ["busy", "two", "three"]}
    await saturate(servers, portal, 0, 60, random)
    a.served.clear()
    b.served.clear()
    await saturate(servers, portal, 60, 260, random)
    turns = a.served + b.served
    del turns[""]
    fair = turns.total() / 4
    assert portal.refused == 0
    assert turns.total() / 200 / RATE >= 0.98
    assert all(abs(turns[name] - fair) <= 1 for name in ("busy", "one", "two", "three")), turns


async def test_a_caller_who_comes_seldom_goes_before_those_who_had_their_turn(engine: Engine) -> None:
    a, b = Bucket(engine, "a"), Bucket(engine, "b")
    await a.ask(0, "busy")
    while (await a.ask(100, "busy"))[0]:
        pass
    assert (await a.ask(100, "busy"))[1] == (await b.ask(100, "seldom"))[1] == 0.5
    assert (await a.ask(100, "busy"))[1] == 1.0


async def test_what_the_engine_keeps_of_callers_is_bounded_and_ends_with_their_servers(
    engine: Engine,
) -> None:
    bucket = Bucket(engine, "killed")
    await fill(bucket, 0)
    for at in range(40):
        await bucket.ask(1 + at / 100, *(f"caller-{at}-{number}" for number in range(100)), again=True)
    assert await engine.run("ZCARD", KEYS[2]) <= 200
    assert await engine.run("ZCARD", KEYS[5]) <= 400
    await Bucket(engine, "other").ask(1000)
    assert await engine.run("ZRANGE", KEYS[2], 0, -1) == []
    assert await engine.run("HLEN", KEYS[3]) == await engine.run("ZCARD", KEYS[4]) == 0


async def test_what_a_server_sent_without_the_engine_counts_when_it_is_back(engine: Engine) -> None:
    bucket, other = Bucket(engine, "cut off"), Bucket(engine, "other")
    await other.ask(0)
    await other.ask(100)
    assert (await bucket.ask(100, sent=CAPACITY)) == ("", 1.0)
