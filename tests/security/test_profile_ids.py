"""A user is told from others by a number; whatever stands in its place makes nobody a user."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import ApiError, InvalidResponseError, PortalError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request
from bitrix24_chat_mcp.portal.oauth.application import Application, TokenPair
from bitrix24_chat_mcp.portal.oauth.local_store import FileTokenStore
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.pipeline import open_pipeline

ACME = "https://acme.bitrix24.ru"
PAIR = {"access_token": "access", "refresh_token": "refresh"}
NO_NUMBERS = [
    "",
    "0",
    "-1",
    "01",
    "1.5",
    "1 ",
    "None",
    "../1",
    "١٢",
    0,
    -1,
    1.0,
    True,
    False,
    [],
    [1],
    {},
    {"ID": 1},
    10**12,
    "9" * 5000,
]


def brief(value: object) -> str:
    return repr(value)[:60]


@asynccontextmanager
async def sign_ins(folder: Path, token: object, result: object = None) -> AsyncGenerator[TokenRefresher]:
    """Sign-ins whose OAuth server answers with one thing, and whose portal with another."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=token if "oauth" in request.url.path else {"result": result})

    http_client = HttpClient(transport=lambda: httpx.MockTransport(answer))
    application = Application(ACME, "local.1", "secret", "https://oauth.example")
    yield TokenRefresher(application, lambda: FileTokenStore(folder), http_client, "Sign in again.")
    await http_client.aclose()


@pytest.mark.parametrize("profile", [{}, {"NAME": "Anna"}, {"ID": None}, [], "1", 1, None, True], ids=repr)
async def test_oauth_a_profile_without_an_id_signs_nobody_in(tmp_path: Path, profile: object) -> None:
    async with sign_ins(tmp_path, PAIR, profile) as asked:
        with pytest.raises(InvalidResponseError):
            await asked.exchange_code("code", None)


@pytest.mark.parametrize("number", NO_NUMBERS, ids=brief)
async def test_oauth_a_profile_id_that_is_no_number_signs_nobody_in(tmp_path: Path, number: object) -> None:
    async with sign_ins(tmp_path, PAIR, {"ID": number}) as asked:
        with pytest.raises(InvalidResponseError, match="answered profile with a result of an unknown shape"):
            await asked.exchange_code("code", None)


@pytest.mark.parametrize("number", NO_NUMBERS, ids=brief)
async def test_oauth_a_user_id_of_the_token_answer_is_a_number(tmp_path: Path, number: object) -> None:
    async with sign_ins(tmp_path, {**PAIR, "user_id": number}, {"ID": "1"}) as asked:
        with pytest.raises(InvalidResponseError):
            await asked.exchange_code("code", None)


@pytest.mark.parametrize("number", [7, "7", 999_999_999_999], ids=repr)
async def test_oauth_a_number_is_the_user(tmp_path: Path, number: object) -> None:
    async with sign_ins(tmp_path, {**PAIR, "user_id": number}) as asked:
        assert (await asked.exchange_code("code", None)).user == str(number)
    async with sign_ins(tmp_path, PAIR, {"ID": number}) as asked:
        assert (await asked.exchange_code("code", None)).user == str(number)


async def test_oauth_a_refresh_that_returns_another_user_is_refused(tmp_path: Path) -> None:
    async with sign_ins(tmp_path, {**PAIR, "access_token": "new", "user_id": 8}) as asked:
        anna = await asked.sign_in(ACME, TokenPair(ACME, "7", "old", "refresh"))

        async def post(_: Request[object]) -> ApiResult:
            raise ApiError("EXPIRED_TOKEN")

        with pytest.raises(InvalidResponseError):
            await asked.refreshing(post)(Request(anna, "im.recent.get", {}))
        assert (anna.user, anna.pair.access) == ("7", "old")


@pytest.mark.parametrize(
    "told",
    [
        [],
        None,
        "text",
        {},
        {**PAIR, "access_token": ["x"]},
        {**PAIR, "access_token": "line\r\nbreak"},
        {**PAIR, "access_token": "ключ"},
        {**PAIR, "access_token": "x" * 100_000},
        {**PAIR, "client_endpoint": 1},
        {"error": ["x"]},
        {"error": {"error": 1}},
        {"error": True},
        {"error": json.loads("[" * 400 + "]" * 400)},
    ],
    ids=brief,
)
async def test_oauth_an_odd_token_answer_is_an_error_in_a_sentence(tmp_path: Path, told: object) -> None:
    async with sign_ins(tmp_path, told, {"ID": "1"}) as asked:
        with pytest.raises(PortalError):
            await asked.exchange_code("code", None)


async def test_a_profile_without_an_id_is_an_error_in_a_sentence() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"result": {"NAME": "Anna"}}))
    http_client = HttpClient(transport=lambda: transport)
    async with open_pipeline(http_client) as pipeline:
        with pytest.raises(InvalidResponseError, match="answered profile"):
            await Portal(pipeline.send, parse_webhook(f"{ACME}/rest/1/code/")).owner()
    await http_client.aclose()
