"""`bitrix24-chat-mcp login`, as a user meets it: a command, a browser, a code; and `logout`."""

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from html import unescape

import anyio
import httpx
import pytest
from bitrix24_demo_portal import DemoPortal
from mcp import Client, StdioServerParameters
from support.conversation import text

COMMAND = [sys.executable, "-m", "bitrix24_chat_mcp"]


@pytest.fixture
def portal() -> DemoPortal:
    return DemoPortal(chats=3)


@contextmanager
def login(environment: dict[str, str], *arguments: str) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """Begin a login; give the process and the address that it asks to open."""
    with subprocess.Popen(
        [*COMMAND, "login", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield process, next(line.strip() for line in process.stdout if "/oauth/authorize/" in line)
        finally:
            process.terminate()


async def allow(client: httpx.AsyncClient, page: str, user: int) -> httpx.Response:
    """Do what a person does on the portal's page."""
    form = (await client.get(page)).text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    data = {name: unescape(value) for name, value in hidden.items()} | {"user": str(user)}
    return await client.post(httpx.URL(page).join("/oauth/authorize/"), data=data)


async def finish(process: "subprocess.Popen[str]", said: str | None = None) -> str:
    output, _ = await anyio.to_thread.run_sync(process.communicate, said)
    return output


async def listed(environment: dict[str, str]) -> str:
    command = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=environment)
    async with Client(command) as client:
        return text(await client.call_tool("list_recent_chats", {"limit": 1}))


async def test_who_logs_in_with_the_browser_sees_their_chats_until_they_log_out(
    environment: dict[str, str],
    portal: DemoPortal,
) -> None:
    async with httpx.AsyncClient() as browser:
        with login(environment, "--no-browser") as (process, page):
            back = (await allow(browser, page, 7)).headers["location"]
            forged = await browser.get(re.sub("state=[^&]*", "state=x", back))
            assert forged.status_code == 400
            assert (await browser.get(back)).status_code == 200
            assert re.search(
                r"Signed in at http://127\.0\.0\.1:\d+ as .+ \(user 7\)\.", await finish(process)
            )
    assert " of " in await listed(environment)
    assert portal.requests[-1].user == 7
    out = await anyio.run_process([*COMMAND, "logout"], env=environment)
    assert out.stdout.decode().startswith("Signed out of ")
    assert (await listed(environment)).startswith("NOT_SIGNED_IN: ")


async def test_who_declines_in_the_browser_ends_the_login(environment: dict[str, str]) -> None:
    async with httpx.AsyncClient() as browser:
        with login(environment, "--no-browser") as (process, page):
            asked = httpx.URL(page).params
            answer = {"error": "access_denied", "state": asked["state"]}
            forged = await browser.get(asked["redirect_uri"], params={**answer, "state": "x"})
            assert forged.status_code == 400
            declined = await browser.get(asked["redirect_uri"], params=answer)
            assert "You have declined at Bitrix24." in declined.text
            assert "nobody signed in; begin again" in await finish(process)
            assert process.returncode == 1


async def test_who_has_no_return_address_pastes_the_code(environment: dict[str, str]) -> None:
    async with httpx.AsyncClient() as browser:
        with login(environment, "--by-hand") as (process, page):
            assert "redirect_uri" not in page
            code = re.findall("<code>(.*)</code>", (await allow(browser, page, 1)).text)[0]
            assert "(user 1)" in await finish(process, f"{code}\n")
    assert " of " in await listed(environment)


async def test_a_code_that_is_too_old_is_refused_in_a_sentence(
    environment: dict[str, str],
    portal: DemoPortal,
) -> None:
    async with httpx.AsyncClient() as browser:
        with login(environment, "--by-hand") as (process, page):
            code = re.findall("<code>(.*)</code>", (await allow(browser, page, 1)).text)[0]
            portal.advance(31)
            assert "INVALID_GRANT: " in await finish(process, f"{code}\n")
            assert process.returncode == 1


async def test_without_an_application_it_is_said_what_to_set() -> None:
    done = await anyio.run_process([*COMMAND, "login"], check=False)
    assert done.returncode == 2
    assert b"oauth.client_id" in done.stderr
