"""Debian's Chromium without a window, driven through its own driver by the W3C's WebDriver protocol."""

import os
import shutil
import subprocess
from asyncio import create_subprocess_exec
from asyncio.subprocess import DEVNULL, PIPE
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any

import anyio
import httpx
import pytest

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_PACKAGES = ("chromium", "chromium-driver")
_PATIENCE = 20_000
"""Milliseconds in which the driver finds what a page has yet to load."""
TAB, ENTER, SPACE = "\ue004", "\ue007", "\ue00d"


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

    async def enter(self, frame: int | None) -> None:
        """Look at a frame of the page, or at the page itself."""
        await self._do("POST", "/frame", id=frame)

    async def run(self, script: str, *given: object) -> Any:
        """Run the body of a function, whose promise is awaited; elements come back as what `click` takes."""
        return await self._do("POST", "/execute/sync", script=script, args=given)

    async def click(self, element: dict[str, str]) -> None:
        await self._do("POST", f"/element/{element[_ELEMENT]}/click")

    async def type(self, keys: str) -> None:
        """Press keys where the focus is; TAB and ENTER are keys, too."""
        focused = await self._do("GET", "/element/active")
        await self._do("POST", f"/element/{focused[_ELEMENT]}/value", text=keys)

    async def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": False}
        await self._devtools("Emulation.setDeviceMetricsOverride", **metrics)

    async def prefer(self, scheme: str) -> None:
        """Have the system's colours be `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self._devtools("Emulation.setEmulatedMedia", features=features)

    async def picture(self, file: Path) -> None:
        picture = b64decode(await self._do("GET", "/screenshot"))
        file.parent.mkdir(parents=True, exist_ok=True)
        await anyio.Path(file).write_bytes(picture)

    async def console(self) -> list[str]:
        """Return the errors and warnings since it was asked last; what a policy forbade is one, too."""
        said: list[dict[str, str]] = await self._do("POST", "/se/log", type="browser")
        return [entry["message"] for entry in said if entry["level"] in {"WARNING", "SEVERE"}]

    async def _devtools(self, command: str, **given: object) -> None:
        await self._do("POST", "/goog/cdp/execute", cmd=command, params=given)

    async def _do(self, verb: str, what: str, **said: object) -> Any:
        body = said if verb == "POST" else None
        answer = await self._http.request(verb, f"/session/{self._session}{what}", json=body)
        assert answer.is_success, answer.text
        return answer.json()["value"]


@asynccontextmanager
async def driver() -> AsyncGenerator[httpx.AsyncClient]:
    """Run the driver on a free port, and end it with all its browsers: they hold its pipes."""
    process = await create_subprocess_exec(
        "chromedriver", "--port=0", stdout=PIPE, stderr=DEVNULL, start_new_session=True
    )
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
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.wait()


@asynccontextmanager
async def browser(http: httpx.AsyncClient, profile: Path) -> AsyncGenerator[Browser]:
    """Open a browser of a person's own: its cookies are nobody else's."""
    options = {
        "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
    }
    asked = {
        "goog:chromeOptions": options,
        "goog:loggingPrefs": {"browser": "ALL"},
        "timeouts": {"implicit": _PATIENCE},
    }
    wanted = {"capabilities": {"alwaysMatch": asked}}
    answer = await http.post("/session", json=wanted)
    assert answer.is_success, answer.text
    session = answer.json()["value"]["sessionId"]
    try:
        yield Browser(http, session)
    finally:
        with anyio.CancelScope(shield=True):
            await http.delete(f"/session/{session}")
