"""How often `query` finds the chat that is meant, beside a substring and WRatio, and what a query costs.

The corpora are those of the tests. Of absent chats no row may be asserted; rows that are called a guess may
be offered. A query is timed over 1,500 chats in one process, turn by turn with the same list without one.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Generator, Iterable, Sequence

from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from bench.table import Row
from tests.support.chat_corpus import UNCERTAIN_KINDS, Corpus, companies, corpus

FIRST, TRANSLATED, KIND, FALSE = 96, 60, 80, 2
"""Of 100: right first, of all, of translations, of any other kind; rows asserted of absent chats."""
CHATS, ROUNDS, MILLISECONDS = 1500, 15, 30
QUERY, LONGEST = "тот чат, где мы с бухгалтерией", "проект договор бухгалтерия отчёт склад " * 5

Search = Callable[[str], Sequence[str]]


def rows() -> Generator[Row]:
    """Ask all questions of every company, and time a query."""
    for company in companies():
        yield from _company(company)
    yield from asyncio.run(_times())


def _company(company: str) -> Generator[Row]:
    asked = corpus(company)
    searches = _searches(asked)
    sure = [
        pair for kind, pairs in asked.asked.items() if kind not in UNCERTAIN_KINDS for pair in pairs.items()
    ]
    yield _row(f"{company}: right first, of 100", sure, searches, FIRST)
    for kind, pairs in asked.asked.items():
        limit = {"translation": TRANSLATED, "ambiguous": 0}.get(kind, KIND)
        yield _row(f"{company}: {kind}", pairs.items(), searches, limit)
    yield _absent(company, asked, searches)


def _searches(asked: Corpus) -> dict[str, Search]:
    titles = [chat.title for chat in asked.chats]

    def substring(query: str) -> Sequence[str]:
        return [title for title in titles if query.casefold() in title.casefold()]

    def ratio(query: str) -> Sequence[str]:
        cutoff = 80
        best = process.extract(
            query, titles, scorer=fuzz.WRatio, processor=default_process, score_cutoff=cutoff, limit=3
        )
        return [title for title, _, _ in best]

    return {"ours": lambda query: asked.found(query)[0], "substring": substring, "WRatio": ratio}


def _row(name: str, pairs: Iterable[tuple[str, str]], searches: dict[str, Search], limit: float) -> Row:
    pairs = list(pairs)
    first, three = (
        {
            name: 100 * sum(meant in search(query)[:places] for query, meant in pairs) / len(pairs)
            for name, search in searches.items()
        }
        for places in (1, 3)
    )
    others = "; ".join(
        f"{name} {first[name]:.0f} and {three[name]:.0f}" for name in searches if name != "ours"
    )
    measured = f"of {len(pairs)}, in the first three {three['ours']:.0f}; {others}"
    return Row(name, first["ours"], limit, measured, at_least=True)


def _absent(company: str, asked: Corpus, searches: dict[str, Search]) -> Row:
    found = [asked.found(query) for query in asked.absent]
    asserted = sum(bool(titles) and not guess for titles, guess in found)
    offered = [len(titles) for titles, guess in found if guess]
    others = ", ".join(
        f"{name} {100 * sum(bool(searches[name](query)) for query in asked.absent) / len(found):.0f}"
        for name in ("substring", "WRatio")
    )
    guesses = f"{len(offered)} times a guess, {statistics.mean(offered):.1f} rows each"
    measured = f"of {len(found)}; {others}; {guesses}"
    return Row(
        f"{company}: absent chats with rows asserted, of 100", 100 * asserted / len(found), FALSE, measured
    )


async def _times() -> list[Row]:
    portal = DemoPortal(chats=CHATS)
    settings = Settings.model_validate({"webhook_url": portal.webhook(), "limits": {"cache": 60}})
    server = build_server(settings, HttpClient(transport=in_process(portal)))
    gc.freeze()  # as the server does before it serves
    async with Client(server) as client:
        await _timed(client, "")
        cold = await _timed(client, QUERY) - await _timed(client, "")
        added = {query: list[float]() for query in (QUERY, LONGEST)}
        for turn in range(ROUNDS):
            for query, times in added.items():
                times.append(await _timed(client, f"{query[:190]} {turn}") - await _timed(client, ""))
    usual, longest = (statistics.median(times) for times in added.values())
    return [
        Row(f"{CHATS:,} chats, a query adds, ms", usual, MILLISECONDS, f"the very first adds {cold:.0f}"),
        Row(f"{CHATS:,} chats, a query of 190 characters adds, ms", longest, 5 * MILLISECONDS),
    ]


async def _timed(client: Client, query: str) -> float:
    begun = time.perf_counter()
    await client.call_tool("list_recent_chats", {"query": query, "detail": "brief"})
    return (time.perf_counter() - begun) * 1000
