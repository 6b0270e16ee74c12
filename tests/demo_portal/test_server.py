"""The portal on a real socket."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from signal import SIGINT

import httpx
import pytest
from bitrix24_demo_portal import DemoPortal, Fault
from bitrix24_demo_portal.asgi.server import serving


@pytest.fixture
async def web(portal: DemoPortal) -> AsyncGenerator[httpx.AsyncClient]:
    async with serving(portal) as base, httpx.AsyncClient(base_url=base, timeout=5) as client:
        yield client


async def profile(web: httpx.AsyncClient, portal: DemoPortal) -> httpx.Response:
    return await web.get(portal.webhook(base="") + "profile")


async def test_a_portal_answers_on_a_free_port_of_the_loopback(
    web: httpx.AsyncClient, portal: DemoPortal
) -> None:
    assert str(web.base_url).startswith("http://127.0.0.1:")
    assert (await profile(web, portal)).json()["result"]["ID"] == "1"
    assert portal.requests[-1].method == "profile"


async def test_a_taken_port_is_an_error(web: httpx.AsyncClient) -> None:
    with pytest.raises(OSError, match="in use"):
        async with serving(DemoPortal(), web.base_url.port or 0):
            pass


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(close="before"), httpx.RemoteProtocolError),
        (Fault(close="middle"), httpx.RemoteProtocolError),
        (Fault(silent=True), httpx.ReadTimeout),
        (Fault(delay=60), httpx.ReadTimeout),
    ],
    ids=["before", "middle", "silent", "late"],
)
async def test_connections_really_break(
    web: httpx.AsyncClient, portal: DemoPortal, fault: Fault, error: type[Exception]
) -> None:
    portal.fail("profile", fault, calls=1)
    web.timeout = 0.2 if error is httpx.ReadTimeout else 20
    with pytest.raises(error):
        await profile(web, portal)
    web.timeout = 20
    assert (await profile(web, portal)).status_code == 200


@pytest.mark.parametrize("fault", [Fault(silent=True), Fault(delay=3600)], ids=["silent", "late"])
async def test_the_server_stops_although_an_answer_still_hangs(portal: DemoPortal, fault: Fault) -> None:
    portal.fail("profile", fault)
    async with httpx.AsyncClient(timeout=5) as client:
        async with asyncio.timeout(5), serving(portal) as base:
            waiting = asyncio.create_task(client.get(portal.webhook(base=base) + "profile"))
            while not portal.requests:  # noqa: ASYNC110 - another program's list has no event
                await asyncio.sleep(0)
        with contextlib.suppress(httpx.HTTPError):
            await waiting


async def test_the_command_serves_until_it_is_interrupted() -> None:
    program = (
        "from bitrix24_demo_portal import DemoPortal\n"
        "from bitrix24_demo_portal.asgi.server import serve\n"
        "serve(DemoPortal(), started=lambda port: print(port, flush=True))"
    )
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE, stderr=PIPE)
    assert server.stdout
    port = int(await server.stdout.readline())
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/rest/profile", timeout=20)
    assert answer.json()["error"] == "NO_AUTH_FOUND"
    server.send_signal(SIGINT)
    assert await server.communicate() == (b"", b"")
    assert server.returncode == 0
