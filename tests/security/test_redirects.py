"""Redirects of a portal: whose secret may follow them, where to, and for how long."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.credentials import parse_webhook
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_chat_mcp.portal.transport.pipeline import RequestPipeline, open_pipeline
from bitrix24_chat_mcp.settings.load import Settings
from mcp import Client
from support.conversation import VIRTUAL_TIME, Era, text

OLD, NEW = "https://old.bitrix24.ru", "https://new.bitrix24.ru"
OTHER_PORT = f"{OLD}:8443"
MOVED = "PORTAL_MOVED"


@pytest.fixture
def anyio_backend() -> object:
    return VIRTUAL_TIME


class Town(httpx.AsyncBaseTransport):
    """Every host answers with an empty list, but those whose answer is set; `asked` are the addresses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, httpx.Response | Exception] = {}

    def redirects(self, address: str, location: str) -> None:
        """Redirect what begins with an address; `*` in the location stands for the path asked."""
        self.answers[address] = httpx.Response(302, headers={"location": location})

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        address = str(request.url)
        self.asked.append(address)
        answers = [answer for begin, answer in self.answers.items() if address.startswith(begin + "/")]
        answer = answers[0] if answers else httpx.Response(200, json={"result": []})
        if isinstance(answer, Exception):
            raise answer
        location = answer.headers.get("location", "").replace("*", request.url.raw_path.decode())
        return httpx.Response(answer.status_code, headers={"location": location}) if location else answer

    @property
    def hosts(self) -> list[str]:
        return [address.partition("/rest")[0] for address in self.asked]


@asynccontextmanager
async def pipeline_to(
    town: Town, portals: frozenset[str] = frozenset(), moves_to: frozenset[str] = frozenset()
) -> AsyncGenerator[RequestPipeline]:
    http_client = HttpClient(transport=lambda: town)
    async with open_pipeline(http_client, Limits(cache=0, moves_to=moves_to), portals=portals) as pipeline:
        yield pipeline
    await http_client.aclose()


def user(pipeline: RequestPipeline, name: str = "1", at: str = OLD) -> Portal:
    return Portal(pipeline.send, parse_webhook(f"{at}/rest/{name}/secret{name}/"))


@pytest.mark.parametrize(
    "path",
    [
        "/rest/../x/",
        "/rest/./x/",
        "/rest/%2e%2e/x/",
        "/rest/..%2f/x/",
        "/rest/a b/x/",
        "/rest/a;b/x/",
        "/rest/a\\b/x/",
        "/../rest/1/x/",
        "/a/../rest/1/x/",
        "/./rest/1/x/",
        "/rest/1/x/..",
        "/rest/1/x/../",
        f"/rest/{'a' * 30_000}/x/",
        f"/rest/1/{'a' * 30_000}/",
        f"{'/a' * 1000}/rest/1/x/",
    ],
)
def test_a_webhook_with_dot_segments_or_odd_characters_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="does not have the form"):
        parse_webhook(f"https://acme.bitrix24.ru{path}")


@pytest.mark.parametrize("name", ["1", "anna", "anna.smith", "anna@acme.example", "анна", "a-b_c", "..."])
def test_a_webhook_of_a_user_or_login_is_accepted(name: str) -> None:
    assert parse_webhook(f"https://acme.bitrix24.ru/rest/{name}/x/").user == name


@pytest.mark.parametrize(
    "location",
    [
        f"{NEW}/",
        f"{NEW}/x/im.recent.get",
        f"{NEW}/rest/2/stolen/im.recent.get",
        f"{NEW}/rest/1/secret1/im.recent.get/",
        f"{NEW}/rest/1/secret1/../im.recent.get",
        f"{NEW}/prefix*",
        "//[broken*",
    ],
)
async def test_a_redirect_to_another_path_is_not_followed(location: str) -> None:
    town = Town()
    town.redirects(OLD, location)
    async with pipeline_to(town) as pipeline:
        with pytest.raises(PortalError, match=MOVED):
            await user(pipeline).recent()
    assert town.hosts == [OLD]


@pytest.mark.parametrize(
    "location", ["/rest/1/secret1/im.recent.get", "*", "/auth/?login=yes", f"{OLD}/auth/", f"{OLD}*"]
)
async def test_a_redirect_within_the_portal_is_not_followed_and_not_called_a_move(location: str) -> None:
    town = Town()
    town.redirects(OLD, location)
    async with pipeline_to(town) as pipeline:
        with pytest.raises(PortalError, match=r"NOT_JSON: .* a login page or a portal under maintenance"):
            await user(pipeline).recent()
    assert town.hosts == [OLD]


async def test_a_redirect_that_one_caller_is_told_moves_nobody_else() -> None:
    town = Town()
    town.redirects(f"{OLD}/rest/mallory", f"{NEW}*")
    async with pipeline_to(town) as pipeline:
        for name in ("mallory", "1", "mallory", "1"):
            await user(pipeline, name).recent()
    assert not [address for address in town.asked if "secret1" in address and NEW in address]
    assert town.hosts == [OLD, NEW, OLD, NEW, OLD]


async def test_a_redirect_is_remembered_only_after_a_rest_answer_from_there() -> None:
    town = Town()
    town.redirects(OLD, f"{NEW}*")
    town.answers[NEW] = httpx.Response(404, text="<html>not here</html>")
    async with pipeline_to(town) as pipeline:
        for _ in range(2):
            with pytest.raises(PortalError, match="NOT_JSON"):
                await user(pipeline).recent()
        assert town.hosts == [OLD, NEW] * 2
        del town.answers[NEW]
        for _ in range(2):
            await user(pipeline).recent()
    assert town.hosts == [OLD, NEW] * 3 + [NEW]


async def test_a_redirect_is_remembered_for_an_hour() -> None:
    town = Town()
    town.redirects(OLD, f"{NEW}*")
    async with pipeline_to(town) as pipeline:
        for pause in (0, 3500, 200):
            await anyio.sleep(pause)
            await user(pipeline).recent()
    assert town.hosts == [OLD, NEW, NEW, OLD, NEW]


async def test_a_redirect_is_forgotten_when_its_destination_is_gone() -> None:
    town = Town()
    town.redirects(OLD, f"{NEW}*")
    async with pipeline_to(town) as pipeline:
        await user(pipeline).recent()
        town.answers = {NEW: httpx.ConnectError("gone")}
        await anyio.sleep(10)
        await user(pipeline).recent()  # the retry goes to the old address again
    assert town.hosts == [OLD, NEW, NEW, OLD]


@pytest.mark.parametrize(
    ("listed", "there", "followed"),
    [
        (["old.bitrix24.ru"], NEW, False),
        (["old.bitrix24.ru"], OTHER_PORT, False),
        (["old.bitrix24.ru", "old.bitrix24.ru:8443"], OTHER_PORT, True),
        (["*.bitrix24.ru"], NEW, True),
        (["*.bitrix24.ru"], "https://a.b.bitrix24.ru", False),
        (["*.bitrix24.ru"], OTHER_PORT, False),
        ([], OTHER_PORT, True),
    ],
)
async def test_a_redirect_leads_only_to_a_portal_that_is_listed(
    listed: list[str], there: str, *, followed: bool, era: Era
) -> None:
    town = Town()
    town.redirects(OLD, f"{there}*")
    http = {"portals": listed}
    settings = Settings.model_validate(
        {"transport": "http", "http": http, "webhook_url": f"{OLD}/rest/1/secret/"}
    )
    server = build_server(settings, HttpClient(transport=lambda: town))
    async with Client(server, mode=era) as client:
        answer = await client.call_tool("list_recent_chats")
    assert town.hosts == ([OLD, there] if followed else [OLD])
    assert (MOVED in text(answer)) is not followed


async def test_the_operator_may_list_another_host_for_redirects() -> None:
    town = Town()
    town.redirects(OLD, "https://crm.acme.example*")
    listed = frozenset({"old.bitrix24.ru"})
    async with pipeline_to(town, portals=listed, moves_to=frozenset({"crm.acme.example"})) as pipeline:
        await user(pipeline).recent()
    assert town.hosts == [OLD, "https://crm.acme.example"]
