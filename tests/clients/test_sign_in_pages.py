"""The pages of signing in, as a person sees them: in Chromium, light and dark, wide and narrow."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from app_host import PICTURES, findings
from bitrix24_chat_mcp.auth import pages
from bitrix24_chat_mcp.auth.pages import ConsentRequest
from bitrix24_chat_mcp.settings.toolsets import TOOL_NAMES
from bitrix24_demo_portal.asgi.server import serving
from browser import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

ASKED = ConsentRequest(
    "", "Claude", "https://acme.bitrix24.ru", "http://127.0.0.1:33418/callback", "/sign-in/1"
)


ASKS = {"consent": ASKED, "consent_sets": replace(ASKED, tools=frozenset(TOOL_NAMES))}


@pytest.fixture
async def address() -> AsyncGenerator[str]:
    """Where the pages are served as the server serves them, /PAGE/LANGUAGE."""

    async def page(request: Request) -> Response:
        name, language = request.path_params["name"], request.path_params["language"]
        asked = ASKS.get(name)
        html = pages.consent(asked, language) if asked else pages.notice(name, language)
        return HTMLResponse(html, headers={"Content-Security-Policy": pages.policy()})

    async with serving(Starlette(routes=[Route("/{name}/{language}", page)])) as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("name", ["consent", "consent_sets", "declined", "done", "ended", "not_ours"])
async def test_axe_finds_nothing_and_the_policy_forbids_nothing(
    window: Browser, address: str, packages: Path, name: str, language: str, scheme: str
) -> None:
    axe = (packages / "axe-core" / "axe.min.js").read_text()
    await window.prefer(scheme)
    for width in (720, 320):
        await window.resize(width, 720)
        await window.open(f"{address}/{name}/{language}")
        assert await findings(window, axe) == []
        assert await window.run("return document.documentElement.scrollWidth <= innerWidth")
        assert [said for said in await window.console() if "favicon" not in said] == []
        await window.picture(PICTURES / f"{name}-{language}-{scheme}-{width}.png")
