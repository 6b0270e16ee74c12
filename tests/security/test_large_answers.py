"""A portal whose answers are costly to read (JSON bombs) holds up nobody else's call."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

import httpx
import msgspec
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.lenient_json import MOST_ROWS, MOST_VALUES, weight
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import open_pipeline
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from mcp import Client
from support.conversation import Era, facts, text
from support.wire import served

LIMITS = {"attempts": 1, "cache": 0}


@asynccontextmanager
async def asking(body: bytes, era: Era) -> AsyncGenerator[Client]:
    """Connect to a server whose portal answers with these bytes."""
    async with served(body) as wire:
        settings = {"webhook_url": f"{wire.origin}/rest/1/code/", "limits": LIMITS}
        async with Client(build_server(Settings.model_validate(settings)), mode=era) as client:
            yield client


@cache
def five_thousand_chats() -> bytes:
    async def listed() -> bytes:
        portal = DemoPortal(chats=5000)
        async with httpx.AsyncClient(transport=in_process(portal)()) as client:
            return (await client.post(portal.webhook() + "im.recent.get")).content

    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(listed())))
    thread.start()
    thread.join()
    return found[0]


def damaged() -> bytes:
    return five_thousand_chats().replace(b'{"result"', rb'{"x":"\ud83d","result"', 1)


@pytest.mark.parametrize("unit", [b"[]", b"0", b'""', b"{}", b"[[]]", b'{"a":0}', b"[" * 40 + b"]" * 40])
async def test_an_answer_of_too_many_values_is_not_read(unit: bytes, era: Era) -> None:
    many = b'{"result":[' + (unit + b",") * (MOST_VALUES + 100) + b"0]}"
    async with asking(many, era) as client:
        answer = await client.call_tool("list_recent_chats")
    assert text(answer).startswith("ANSWER_TOO_LARGE: The portal's answer has more than 750,000 values")


@pytest.mark.parametrize("field", ["error", "error_description", "time"])
async def test_a_field_beside_the_result_is_bounded(field: str, era: Era) -> None:
    nested = b"[" + b"[[]]," * 200_000 + b"0]"
    body = b'{"error":"ACCESS_DENIED","result":[],"' + field.encode() + b'":' + nested + b"}"
    async with asking(body, era) as client:
        answer = await client.call_tool("list_recent_chats")
    assert text(answer).startswith("BROKEN_JSON: ")


async def test_a_row_of_many_values_is_odd_and_costs_no_other(era: Era) -> None:
    large = b'{"id":"chat1","title":[' + b"[[]]," * 100_000 + b"0]}"
    async with asking(b'{"result":[' + large + b',{"id":"chat2","title":"Good"}]}', era) as client:
        page = facts(await client.call_tool("list_recent_chats"))
    assert [chat["dialog_id"] for chat in page["chats"]] == ["chat2"]
    assert "items left out as unreadable: 1 (no. 1)" in page["notes"]


async def test_more_rows_than_any_portal_has_are_not_read(era: Era) -> None:
    rows = b'{"result":[' + b'{"id":1e999},' * MOST_ROWS + b"0]}"
    async with asking(rows, era) as client:
        answer = await client.call_tool("list_recent_chats")
    assert text(answer).startswith("UNCLEAR_ANSWER: ")


@pytest.mark.parametrize("how", ["whole", "damaged"])
async def test_event_loop_is_free_while_five_thousand_chats_are_read(how: str, era: Era) -> None:
    body = five_thousand_chats() if how == "whole" else damaged()
    async with asking(body, era) as client:
        await client.call_tool("list_recent_chats", {"limit": 1})  # imports what calls need
        # The best of some calls: the tests' own garbage may stop everything for once.
        blocked = min([await blocked_part_of_a_list(client) for _ in range(4)])
    assert blocked < 1 / 3, "read in one piece it would be nearly all of the time"


async def blocked_part_of_a_list(client: Client) -> float:
    """Return the longest time for which others had no turn, as a part of the whole."""
    longest = 0.0

    async def others() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - before)

    ticking = asyncio.create_task(others())
    began = time.perf_counter()
    page = facts(await client.call_tool("list_recent_chats", {"limit": 1}))
    took = time.perf_counter() - began
    ticking.cancel()
    assert page["total"] == 5001
    return longest / took


def thread_of(_: msgspec.Raw, __: str) -> str:
    return threading.current_thread().name


@pytest.mark.parametrize(("chats", "apart"), [(5, False), (1000, True)])
async def test_a_costly_answer_is_read_in_a_thread_alone_and_in_a_batch(chats: int, *, apart: bool) -> None:
    portal = DemoPortal(chats=chats)
    client = HttpClient(transport=in_process(portal))
    async with open_pipeline(client, Limits(cache=0, rate=50, burst=1)) as pipeline:
        user = parse_webhook(portal.webhook())
        requests = [Request(user, "im.recent.get", {"SALT": n}, reader=thread_of) for n in range(3)]
        names = [answer.result for answer in await asyncio.gather(*map(pipeline.send, requests))]
    await client.aclose()
    assert "batch" in {request.method for request in portal.requests}
    assert [name.startswith("chats") for name in names] == [apart] * 3


def test_the_bound_for_values_leaves_room_for_more_than_five_thousand_chats() -> None:
    assert weight(five_thousand_chats()) < MOST_VALUES * 0.8
