"""How the page of chats looks: contrast in every theme, and pictures for people to look at."""

from pathlib import Path
from typing import Any

import pytest
from app_host import PICTURES, Opened
from bitrix24_demo_portal import DemoPortal, Fault
from browser import Browser

DARK_WITH_VARIABLES = {
    "theme": "dark",
    "styles": {"variables": {"--color-background-primary": "#0b1021", "--color-text-primary": "#dfe6ff"}},
}
HALF_A_THEME = {"theme": "dark", "styles": {"variables": {"--color-background-primary": "#000000"}}}


# axe-core does not judge what is scrolled away, nor texts of one letter.
_MEASURABLE = """(() => {
    document.getElementById("list").style.maxHeight = "none";
    for (const one of document.querySelectorAll(".face, .badge:not(:empty)")) one.textContent = "words";
})()"""


@pytest.mark.parametrize(
    "context",
    [{"theme": "light"}, {"theme": "dark"}, {}, DARK_WITH_VARIABLES, HALF_A_THEME],
    ids=["light", "dark", "none", "variables", "half"],
)
async def test_axe_finds_nothing_in_any_theme(
    opened: Opened, portal: DemoPortal, packages: Path, context: dict[str, Any]
) -> None:
    axe = (packages / "axe-core" / "axe.min.js").read_text()
    async with opened(**context) as host:
        await host.show(show="attention")
        await host.press("Pin: Павел")
        await host.sees("Undo")
        await host.page(_MEASURABLE)
        assert await host.findings(axe) == []
        portal.fail("*", Fault(error="ACCESS_DENIED"))
        await host.press("Pin: Emily")
        await host.sees("ACCESS_DENIED")
        await host.page(_MEASURABLE)
        assert await host.findings(axe) == []


@pytest.mark.parametrize("width", [720, 320])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pictures_are_taken_and_nothing_is_cut_off(
    opened: Opened, window: Browser, portal: DemoPortal, theme: str, width: int
) -> None:
    async with opened(width=width, theme=theme, locale="ru" if width == 320 else "en") as host:
        await window.prefer(theme)

        async def picture(name: str) -> None:
            assert await host.page("document.documentElement.scrollWidth <= innerWidth")
            await window.resize(width, await host.host("document.body.offsetHeight"))
            await window.picture(PICTURES / f"{name}-{theme}-{width}.png")
            await window.resize(width, 900)

        await host.show()
        await host.page("document.getElementById('pin_chat-chat1215').click()")
        await host.until("document.getElementById('undo').textContent")
        await picture("list")
        await host.show(show="attention")
        await host.until("document.querySelector('.why')")
        await picture("attention")
        await host.show(query="zzzzqqqq")
        await host.until("document.querySelectorAll('.row').length == 0")
        await picture("empty")
        portal.fail("*", Fault(error="INSUFFICIENT_SCOPE", status=403))
        await host.show(skip_chat=True)
        await host.sees("INSUFFICIENT_SCOPE")
        await picture("error")


@pytest.mark.parametrize("width", [720, 320])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_pictures_are_taken_with_all_sets_and_axe_finds_nothing(
    opened: Opened, window: Browser, packages: Path, theme: str, width: int
) -> None:
    settings = {"toolsets": ["read", "marks", "tidy"], "confirm": "host"}
    axe = (packages / "axe-core" / "axe.min.js").read_text()
    async with opened(
        width=width, theme=theme, settings=settings, locale="ru" if width == 320 else "en"
    ) as host:
        await window.prefer(theme)
        await host.show()
        await host.page("document.getElementById('mark_chat-chat1201').click()")
        await host.until("document.getElementById('undo').textContent")
        assert await host.page("document.documentElement.scrollWidth <= innerWidth")
        await window.resize(width, await host.host("document.body.offsetHeight"))
        await window.picture(PICTURES / f"sets-{theme}-{width}.png")
        await window.resize(width, 900)
        if width == 720:  # axe-core takes a title that ends in an ellipsis to go on behind the buttons
            await host.page(_MEASURABLE)
            assert await host.findings(axe) == []
