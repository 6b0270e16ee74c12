"""What serves a repeated read is an answer that was understood, and it is understood once."""

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import InvalidResponseError
from bitrix24_chat_mcp.portal.api.models import Listing
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import open_pipeline
from support.conversation import VIRTUAL_TIME
from support.harness import Harness, open_harness

ACME = "https://acme.example/rest/1/secret/"


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL_TIME


async def test_an_unreadable_answer_is_not_cached() -> None:
    answers = iter([{"result": "no list"}, {"result": [{"id": 5, "title": "Anna"}]}])
    client = HttpClient(
        transport=lambda: httpx.MockTransport(lambda _: httpx.Response(200, json=next(answers)))
    )
    async with open_pipeline(client, Limits(cache=60)) as pipeline:
        user = Portal(pipeline.send, parse_webhook(ACME))
        with pytest.raises(InvalidResponseError, match=r"im\.recent\.get with a result of an unknown shape"):
            await user.recent()
        assert [chat.title for chat in (await user.recent()).chats] == ["Anna"]
    await client.aclose()


async def test_a_cached_list_is_decoded_once() -> None:
    async with open_harness(Limits(cache=60)) as harness:
        first, second = await harness.user.recent(), await harness.user.recent()
        assert first.chats
        assert second.chats is first.chats
        assert len(harness.demo.requests) == 1


async def test_lists_at_once_are_decoded_once() -> None:
    async with open_harness(Limits(cache=0), latency=1) as harness:
        first, second = await together(harness)
        assert second.chats is first.chats
        assert len(harness.demo.requests) == 1


async def test_the_cache_counts_the_rows_that_it_keeps() -> None:
    rows = [{"id": number} for number in range(1, 101)]  # little to read, more to keep
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"result": rows})

    client = HttpClient(transport=lambda: httpx.MockTransport(answer))
    async with open_pipeline(client, Limits(cache=60), cache_bytes=10_000) as pipeline:
        for _ in range(2):
            assert len(await Portal(pipeline.send, parse_webhook(ACME)).recent()) == 100
    assert len(asked) == 2
    await client.aclose()


async def together(harness: Harness) -> list[Listing]:
    got: list[Listing] = []

    async def read() -> None:
        got.append(await harness.user.recent())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        tasks.start_soon(read)
    return got
