"""Compressed answers (gzip bombs): bounded before and after inflating, over real connections."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import OversizedResponseError, PortalError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.settings.load import Settings
from mcp import Client
from support.conversation import Era, text
from support.wire import Wire, served

MIB = 1024 * 1024
RESULT = json.dumps([{"id": 5, "title": "Anna"}]).encode()


def envelope(result: bytes) -> bytes:
    return b'{"result": %s}' % result


CHATS = envelope(RESULT)


@cache
def bomb() -> bytes:
    return gzip.compress(bytes(64 * MIB))


@asynccontextmanager
async def http_client(limit: int = MIB) -> AsyncGenerator[HttpClient]:
    opened = HttpClient(max_bytes=limit)
    try:
        yield opened
    finally:
        await opened.aclose()


async def ask(wire: Wire, limit: int = MIB) -> bytes:
    """Ask for the recent chats; return the answer's result as it was received."""
    async with http_client(limit) as opened:
        request = Request(parse_webhook(f"{wire.origin}/rest/1/code/"), "im.recent.get", {})
        return bytes((await opened.send(request)).result)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(CHATS)),
        ("GZIP", gzip.compress(CHATS)),
        ("deflate", zlib.compress(CHATS)),
        ("identity", CHATS),
        ("gzip", gzip.compress(CHATS) + b"trailing" * 1000),
    ],
    ids=["gzip", "capitals", "deflate", "identity", "trailing"],
)
async def test_one_content_encoding_is_undone(coding: str, body: bytes) -> None:
    async with served(body, content_encoding=coding) as wire:
        assert await ask(wire) == RESULT
    assert "accept-encoding: gzip\r\n" in wire.asked[0].lower()


async def test_a_large_list_is_inflated_whole() -> None:
    chats = json.dumps([f"chat{number}" for number in range(200_000)]).encode()
    async with served(gzip.compress(envelope(chats)), content_encoding="gzip") as wire:
        assert await ask(wire, 8 * MIB) == chats


@pytest.mark.parametrize(
    ("coding", "layers"),
    [("gzip, gzip", 2), ("gzip, identity", 1), ("gzip,gzip,gzip", 3), ("br", 1), ("x", 1)],
)
async def test_a_list_of_encodings_is_refused_unread(coding: str, layers: int) -> None:
    body = bomb()
    for _ in range(layers - 1):
        body = gzip.compress(body)
    async with served(body, content_encoding=coding) as wire:
        tracemalloc.start()
        try:
            with pytest.raises(PortalError, match="UNKNOWN_ENCODING: The portal's answer is compressed"):
                await ask(wire, 64 * MIB)
            assert tracemalloc.get_traced_memory()[1] < 8 * MIB
        finally:
            tracemalloc.stop()


async def test_a_gzip_bomb_stops_at_the_limit_and_costs_no_memory() -> None:
    async with served(bomb(), content_encoding="gzip") as wire:
        tracemalloc.start()
        try:
            with pytest.raises(OversizedResponseError):
                await ask(wire, MIB)
            assert tracemalloc.get_traced_memory()[1] < 8 * MIB
        finally:
            tracemalloc.stop()


async def test_others_have_their_turn_while_a_gzip_bomb_is_inflated() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    text = envelope(b'"%s"' % (b"0" * 48 * MIB))
    async with served(gzip.compress(text), content_encoding="gzip") as wire:
        ticking = asyncio.create_task(others())
        before = turns
        assert len(await ask(wire, 49 * MIB)) == 48 * MIB + 2
        ticking.cancel()
    assert turns - before > 48 * 4  # at least one for each slice of 256 KiB


@pytest.mark.parametrize(
    "body", [b"not gzip at all", gzip.compress(CHATS)[:9] + b"\xff" * 50], ids=["other", "torn"]
)
async def test_a_damaged_gzip_is_an_error_in_a_sentence(body: bytes) -> None:
    async with served(body, content_encoding="gzip") as wire:
        with pytest.raises(PortalError, match="BROKEN_ENCODING"):
            await ask(wire)


async def test_a_document_and_an_oauth_answer_may_not_be_compressed_at_all() -> None:
    async with served(gzip.compress(b"{}"), content_encoding="gzip") as wire, http_client() as opened:
        with pytest.raises(PortalError, match="UNKNOWN_ENCODING"):
            await opened.get(f"{wire.origin}/client.json")
        with pytest.raises(PortalError, match="UNKNOWN_ENCODING"):
            await opened.post_form(f"{wire.origin}/oauth/token/", {})
    assert all("accept-encoding: identity\r\n" in head.lower() for head in wire.asked)


async def test_a_gzip_bomb_reaches_the_model_as_a_sentence(era: Era) -> None:
    async with served(gzip.compress(bomb()), content_encoding="gzip, gzip") as wire:
        settings = Settings.model_validate({"webhook_url": f"{wire.origin}/rest/1/code/"})
        async with Client(build_server(settings), mode=era) as client:
            answer = await client.call_tool("list_recent_chats")
    assert answer.is_error
    assert "UNKNOWN_ENCODING" in text(answer)
