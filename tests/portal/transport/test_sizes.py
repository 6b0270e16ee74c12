"""What is too large is not read to the end."""

from collections.abc import AsyncIterator

import httpx
import pytest
from bitrix24_chat_mcp.portal.api.credentials import Webhook
from bitrix24_chat_mcp.portal.api.errors import OversizedResponseError
from bitrix24_chat_mcp.portal.api.rest import Request
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient

ASK = Request(Webhook("https://acme.example", "1", "x"), "im.recent.get", {})


class Endless(httpx.AsyncByteStream):
    """A body without an end."""

    sent = 0
    closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 1000
            yield b"x" * 1000

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("headers", "read"), [({}, 11_000), ({"content-length": "10001"}, 0), ({"content-length": "9"}, 11_000)]
)
async def test_a_body_is_dropped_where_it_passes_the_limit(headers: dict[str, str], read: int) -> None:
    body = Endless()

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=body)

    client = HttpClient(max_bytes=10_000, transport=lambda: httpx.MockTransport(answer))
    with pytest.raises(OversizedResponseError, match="ANSWER_TOO_LARGE"):
        await client.send(ASK)
    assert body.sent == read
    assert body.closed
    await client.aclose()
