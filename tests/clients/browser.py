"""Debian's Chromium without a window, driven through its own driver by the W3C's WebDriver protocol."""

import os
import shutil
import subprocess
from asyncio import create_subprocess_exec
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_PACKAGES = ("chromium", "chromium-driver")


def install() -> None:
    """Have a browser, or skip with the reason; CI installs it."""
    if shutil.which("chromium") and shutil.which("chromedriver"):
        return
    if os.environ.get("CI") != "true" or os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("needs Debian's chromium and chromium-driver: apt-get install chromium chromium-driver")
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", *_PACKAGES],
    ):
        subprocess.run(command, check=True, capture_output=True)


class Browser:
    """A window: goes to addresses, and presses buttons by what is written on them."""

    def __init__(self, http: httpx.AsyncClient, session: str) -> None:
        self._http = http
        self._session = session

    async def open(self, address: str) -> None:
        await self._do("POST", "/url", url=address)

    async def address(self) -> str:
        return await self._do("GET", "/url")

    async def press(self, label: str) -> None:
        xpath = f"//button[starts-with(., '{label}')]"
        button = await self._do("POST", "/element", using="xpath", value=xpath)
        await self._do("POST", f"/element/{button[_ELEMENT]}/click")

    async def _do(self, verb: str, what: str, **said: str) -> Any:
        body = said if verb == "POST" else None
        answer = await self._http.request(verb, f"/session/{self._session}{what}", json=body)
        assert answer.is_success, answer.text
        return answer.json()["value"]


@asynccontextmanager
async def driver() -> AsyncGenerator[httpx.AsyncClient]:
    """Run the driver on a free port."""
    process = await create_subprocess_exec("chromedriver", "--port=0", stdout=PIPE, stderr=DEVNULL)
    assert process.stdout
    try:
        port = ""
        while not port:
            line = (await process.stdout.readline()).decode()
            assert line, "chromedriver did not start"
            port = line.rpartition("on port ")[2].strip(" .\n") if "started successfully" in line else ""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            yield http
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def browser(http: httpx.AsyncClient, profile: Path) -> AsyncGenerator[Browser]:
    """Open a browser of a person's own: its cookies are nobody else's."""
    options = {
        "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
    }
    wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
    answer = await http.post("/session", json=wanted)
    assert answer.is_success, answer.text
    session = answer.json()["value"]["sessionId"]
    try:
        yield Browser(http, session)
    finally:
        await http.delete(f"/session/{session}")
