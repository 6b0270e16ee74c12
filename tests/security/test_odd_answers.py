"""Answers of unexpected types and sizes: every REST method returns, or raises an error in a sentence."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import open_pipeline
from support.conversation import VIRTUAL_TIME

METHODS: dict[str, Callable[[Portal], Awaitable[object]]] = {
    "recent": Portal.recent,
    "recent_and_pinned": Portal.recent_and_pinned,
    "pin": lambda portal: portal.pin("chat5", pin=True),
    "dialog": lambda portal: portal.dialog("5"),
    "dialog of a chat": lambda portal: portal.dialog("chat5"),
    "answers": Portal.answers,
    "owner": Portal.owner,
    "demand_scope": lambda portal: portal.demand_scope("im"),
}
HUGE, DEEP = "9" * 400, "[" * 900 + "]" * 900
VALUES = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e400",
    HUGE,
    "9" * 5000,
    '""',
    '"text"',
    '"\\ud83d"',
    "[]",
    "[1]",
    "[[]]",
    "[null]",
    "{}",
    '{"items": {}}',
    '{"items": [1, [], null]}',
    '{"id": true, "name": []}',
    f'{{"id": {HUGE}, "name": {HUGE}}}',
    '{"ID": [], "NAME": {}, "LAST_NAME": 5}',
    '[{"id": [], "chat": 5, "user": "x", "message": [], "counter": {}}]',
    f'[{{"id": {HUGE}, "counter": {HUGE}, "message": {{"id": {HUGE}, "date": {HUGE}}}}}]',
    DEEP,
    "[" * 100_000,
    f'[{{"id": {DEEP}, "title": {DEEP}}}]',
]
TIME = '{"operating_reset_at": %s, "finish": 1.5, "date_finish": %s}'
BODIES = [
    body
    for value in VALUES
    for body in (
        value,
        f'{{"result": {value}}}',
        f'{{"error": {value}, "error_description": {value}}}',
        f'{{"result": [], "time": {value}}}',
        f'{{"result": true, "time": {TIME % (value, value)}}}',
    )
]


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL_TIME


@pytest.mark.parametrize("method", METHODS)
async def test_an_odd_answer_is_an_error_in_a_sentence(method: str) -> None:
    told = [b""]
    http_client = HttpClient(
        transport=lambda: httpx.MockTransport(lambda _: httpx.Response(200, content=told[-1]))
    )
    async with open_pipeline(http_client, Limits(cache=0, attempts=2, rate=1000, burst=10_000)) as pipeline:
        portal = Portal(pipeline.send, parse_webhook("https://acme.example/rest/1/code/"))
        for body in BODIES:
            told.append(body.encode())
            with suppress(PortalError):
                await METHODS[method](portal)
    await http_client.aclose()


async def test_a_batch_of_odd_answers_is_an_error_in_a_sentence() -> None:
    for value in VALUES:
        for body in (
            f'{{"result": {{"result": {value}}}}}',
            f'{{"result": {{"result_error": {value}}}}}',
            f'{{"result": {{"result_error": {{"c0": {value}}}}}}}',
            f'{{"result": {{"result_error": {{"c0": {{"error": {value}, "error_description": {value}}}}}}}}}',
            f'{{"result": {{"result": {{"c0": {value}}}, "result_time": {{"c0": {value}}}}}}}',
        ):
            await in_a_batch(body)


async def in_a_batch(body: str) -> None:
    """Ask for two dialogs at once, when only one request is left, so that they share a batch."""

    def answer(request: httpx.Request) -> httpx.Response:
        text = body if request.url.path.endswith("batch") else '{"result": true}'
        return httpx.Response(200, content=text.encode())

    http_client = HttpClient(transport=lambda: httpx.MockTransport(answer))
    async with open_pipeline(http_client, Limits(cache=0, attempts=1, rate=1, burst=1)) as pipeline:
        portal = Portal(pipeline.send, parse_webhook("https://acme.example/rest/1/code/"))
        await portal.answers()
        async with anyio.create_task_group() as tasks:
            for dialog_id in ("5", "chat7"):
                tasks.start_soon(ask, portal, dialog_id)
    await http_client.aclose()


async def ask(portal: Portal, dialog_id: str) -> None:
    with suppress(PortalError):
        await portal.dialog(dialog_id)
