"""OAuth client metadata documents that strangers choose: slow, endless, broken, and too many at once."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest
from bitrix24_chat_mcp.auth.client_documents import DEADLINE, MISSING, MOST, MOST_OF_HOST, MOST_OF_REQUESTER
from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.transports import http_app
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_demo_portal import DemoPortal
from support.conversation import VIRTUAL_TIME
from support.oauth_wire import authorize
from support.team import BACK, STATE_KEY, Serve, team_settings

SERVER = "http://127.0.0.1:8000"
GOOD = "https://assistant.example/client.json"


class Documents:
    """A network of documents: those of `slow` hosts come a byte each second, all others at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.begun = anyio.Event()
        self.ended = anyio.Event()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if "slow" in str(request.url):
            return httpx.Response(200, content=self._trickle())
        if "broken" in str(request.url):
            return httpx.Response(500)
        await anyio.sleep(0.3)
        return httpx.Response(200, json={"client_id": str(request.url), "redirect_uris": [BACK]})

    async def _trickle(self) -> AsyncGenerator[bytes]:
        self.begun.set()
        try:
            while True:
                await anyio.sleep(1)
                yield b" "
        finally:
            self.ended.set()

    def http_client(self) -> HttpClient:
        return HttpClient(transport=lambda: httpx.MockTransport(self.answer), max_bytes=65_536)


@pytest.fixture
def documents() -> Documents:
    return Documents()


Connect = Callable[[str], httpx.AsyncClient]


@pytest.fixture
def connect(portal: DemoPortal, folder: object, documents: Documents) -> Connect:
    """Return a way to connect to a team's server, in this process, from a network address."""
    del folder
    settings = team_settings(portal, public_url=SERVER, state_key=STATE_KEY, auth=["bitrix24"])
    server = build_server(settings, HttpClient(transport=in_process(portal)))
    app = http_app(server, settings.http, documents.http_client())

    def to_server(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(address, 50_000))
        return httpx.AsyncClient(base_url=SERVER, transport=transport)

    return to_server


virtual_time = pytest.mark.parametrize("anyio_backend", [VIRTUAL_TIME])


@asynccontextmanager
async def waiting(connect: Connect, addresses: dict[str, str]) -> AsyncGenerator[None]:
    """Ask for authorization with all these documents, each from a network address, and let them wait."""

    async def ask(document: str, address: str) -> None:
        async with connect(address) as http:
            await authorize(http, document)

    async with anyio.create_task_group() as tasks:
        for document, address in addresses.items():
            tasks.start_soon(ask, document, address)
        await anyio.sleep(0.1)
        yield
        tasks.cancel_scope.cancel()


@virtual_time
async def test_a_slow_document_is_given_up_after_ten_seconds_and_not_asked_again_at_once(
    connect: Connect, documents: Documents
) -> None:
    slow = "https://slow.example/client.json"
    async with connect("192.0.2.1") as http:
        began = anyio.current_time()
        answer = await authorize(http, slow)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert anyio.current_time() - began == pytest.approx(DEADLINE, abs=0.1)
        assert (await authorize(http, slow)).status_code == 400
        assert documents.asked == [slow]
        await anyio.sleep(MISSING)
        await authorize(http, slow)
        assert documents.asked == [slow] * 2


@virtual_time
@pytest.mark.parametrize(
    ("count", "slow"),
    [
        (4, "https://slow.example/{}"),
        (4, "https://slow{}.example/client"),
        (MOST_OF_HOST, "https://assistant.example/slow{}"),
        (MOST_OF_REQUESTER, "https://slow{}.example/client"),
    ],
)
async def test_slow_documents_do_not_stop_another_oauth_sign_in(
    connect: Connect, count: int, slow: str
) -> None:
    stuck = {slow.format(number): "192.0.2.1" for number in range(count)}
    for address in ("192.0.2.1", "192.0.2.2"):
        async with waiting(connect, stuck), connect(address) as http:
            began = anyio.current_time()
            assert (await authorize(http, GOOD)).status_code == 302
            assert anyio.current_time() - began < 1


@virtual_time
async def test_a_requester_with_many_documents_ends_no_other_s(connect: Connect) -> None:
    async with connect("192.0.2.2") as http, anyio.create_task_group() as tasks:

        async def honest() -> None:
            assert (await authorize(http, GOOD)).status_code == 302

        tasks.start_soon(honest)
        await anyio.sleep(0.1)
        greedy = {
            f"https://assistant.example/slow{number}": "192.0.2.1" for number in range(MOST_OF_HOST * 3)
        }
        others = {f"https://slow{number}.example/x": f"192.0.2.{3 + number % 7}" for number in range(MOST)}
        async with waiting(connect, greedy | others):
            await anyio.sleep(0.5)


@virtual_time
async def test_documents_asked_for_at_once_are_fetched_once(connect: Connect, documents: Documents) -> None:
    async with (
        waiting(connect, {GOOD: "192.0.2.1"}),
        waiting(connect, {GOOD: "192.0.2.2"}),
        connect("192.0.2.3") as http,
    ):
        assert (await authorize(http, GOOD)).status_code == 302
    assert documents.asked == [GOOD]


@virtual_time
async def test_a_document_that_one_waits_for_no_more_still_comes_for_another(
    connect: Connect, documents: Documents
) -> None:
    async with connect("192.0.2.2") as http, anyio.create_task_group() as tasks:

        async def other() -> None:
            assert (await authorize(http, GOOD)).status_code == 302

        async with waiting(connect, {GOOD: "192.0.2.1"}):
            tasks.start_soon(other)
            await anyio.sleep(0.1)
    assert documents.asked == [GOOD]


async def test_a_document_that_nobody_waits_for_is_given_up(serve: Serve, documents: Documents) -> None:
    async with serve(auth=["bitrix24"], documents=documents.http_client()) as base:
        async with httpx.AsyncClient(base_url=base) as http, anyio.create_task_group() as tasks:
            tasks.start_soon(authorize, http, "https://slow.example/client.json")
            await documents.begun.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(30):  # it would go on for hours
            await documents.ended.wait()


@pytest.mark.parametrize(
    "host",
    [
        "999.1.1.1",
        "1.2.3",
        "0x7f.1",
        "2130706433",
        "[v1.x]",
        "[1:2:3]",
        "[::1%25lo]",
        "xn--a",
        "xn--n3h.example",
        "-a.example",
        "a..example",
        "a%2eexample",
        "a.example:0",
        "a.example:99999",
        "a.example\\@b.example",
        "a\t.example",
        "х.example",
        "a" * 64 + ".example",
    ],
)
async def test_a_client_id_with_a_malformed_host_is_an_oauth_error(serve: Serve, host: str) -> None:
    async with serve(auth=["bitrix24"]) as base, httpx.AsyncClient(base_url=base) as http:
        document = f"https://{host}/d"
        for answer in (
            await authorize(http, document),
            await http.post("/token", data={"client_id": document, "grant_type": "refresh_token"}),
        ):
            assert answer.status_code in {400, 401}
            assert answer.json()["error"] in {"invalid_request", "invalid_client"}
