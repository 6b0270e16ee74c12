"""The page of chats with the sets `marks` and `tidy`: what it marks, mutes and hides, and what asks first."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
import pytest
from app_host import AppHost, Opened
from bitrix24_demo_portal import DemoPortal
from browser import SPACE
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestParams, ElicitResult
from support.commands import started
from support.conversation import Era, facts

MARKS, ALL = {"toolsets": ["marks"]}, {"toolsets": ["read", "marks", "tidy"]}
BUSY, NEWEST = "chat1201", 80421
"""A chat with three unread messages, and its newest."""


@dataclass
class User:
    """A user whom the host asks."""

    action: Literal["accept", "decline"] = "accept"
    asked: list[str] = field(default_factory=list[str])

    async def __call__(self, context: object, params: ElicitRequestParams) -> ElicitResult:
        del context
        self.asked.append(params.message)
        return ElicitResult(
            action=self.action, content={"proceed": True} if self.action == "accept" else None
        )


def unread(portal: DemoPortal, chat: int = 1201) -> int:
    return len(portal.world.chats[chat].unread_by(1))


def calls(portal: DemoPortal, method: str) -> list[dict[str, Any]]:
    return [request.params for request in portal.requests if request.method == method]


async def row(host: AppHost, title: str) -> str:
    """Return the words of a chat's row."""
    found = "[...document.querySelectorAll('.row b')].find(one => one.textContent === arguments[0])"
    return await host.page(f"{found}?.closest('.row').innerText ?? ''", title)


LAUNCH = "Запуск сайта «Северный ветер»"


async def test_mark_read_up_to_what_is_shown_while_a_newer_message_arrives_which_stays_unread(
    opened: Opened, portal: DemoPortal
) -> None:
    async with opened(settings=MARKS) as host:
        await host.show()
        assert "\n3\n" in await row(host, LAUNCH)
        new = portal.say(BUSY, 9, "Подождите!")
        await host.press("Mark read: Запуск")
        await host.told(LAUNCH, "read")
        assert "\n1\n" in await row(host, LAUNCH), "the portal's count, with the message that nobody saw"
        assert [message.id for message in portal.world.chats[1201].unread_by(1)] == [new]
        await host.press("Undo")
        await host.told(LAUNCH, "unread")
        assert "\n4\n" in await row(host, LAUNCH)
    assert unread(portal) == 4
    assert calls(portal, "im.dialog.read") == [{"DIALOG_ID": BUSY, "MESSAGE_ID": NEWEST}]


async def test_after_a_refresh_mark_read_reaches_the_newer_message(
    opened: Opened, portal: DemoPortal
) -> None:
    async with opened(settings={**MARKS, "limits": {"cache": 0}}) as host:
        await host.show()
        new = portal.say(BUSY, 9, "Подождите!")
        await host.press("Refresh")
        await host.until("document.body.innerText.includes('Подождите!')")
        await host.press("Mark read: Запуск")
        await host.told(LAUNCH, "read")
    assert unread(portal) == 0
    assert calls(portal, "im.dialog.read")[0]["MESSAGE_ID"] == new


async def test_mark_read_clears_a_mark_set_by_hand_and_undo_sets_it_again(
    opened: Opened, portal: DemoPortal
) -> None:
    marked, title = portal.world.rows[1][1205], str(portal.world.chats[1205].title)
    marked.marked = True
    async with opened(settings=MARKS) as host:
        await host.show()
        assert "marked unread" in await row(host, title)
        await host.press(f"Mark read: {title}")
        await host.told(title, "read")
        assert "marked unread" not in await row(host, title)
        assert not marked.marked
        await host.press("Undo")
        await host.told(title, "unread")
        assert "marked unread" in await row(host, title)
        assert marked.marked


async def test_the_focus_stays_on_the_button_that_marks_read(opened: Opened) -> None:
    async with opened(settings=MARKS) as host:
        await host.show()
        await host.page(f"document.getElementById('mark_chat-{BUSY}').focus()")
        await host.window.type(SPACE)
        await host.told(LAUNCH, "read")
        assert await host.page("document.activeElement.id") == f"mark_chat-{BUSY}"
        assert await host.pressed(f"mark_chat-{BUSY}")


async def test_mute_and_its_undo(opened: Opened, portal: DemoPortal) -> None:
    async with opened(settings=MARKS) as host:
        await host.show()
        await host.press("Mute: Запуск")
        await host.told(LAUNCH, "muted")
        assert "group · pinned · muted" in await row(host, LAUNCH)
        assert await host.pressed(f"mute_chat-{BUSY}")
        await host.press("Undo")
        await host.told(LAUNCH, "unmuted")
        assert "muted" not in await row(host, LAUNCH)
        assert '{"chat1201":{"muted":false}}' in str(await host.host("host.context"))
        assert not any(label.startswith("Mute: Валентина") for label in await host.buttons()), "an open line"
    assert [call["MUTE"] for call in calls(portal, "im.chat.mute")] == ["Y", "N"]


async def test_a_chat_without_unread_messages_has_nothing_to_mark_read(opened: Opened) -> None:
    async with opened(settings=MARKS) as host:
        listed = facts(await host.show())
        buttons = [label for label in await host.buttons() if label.startswith("Mark read: ")]
    waiting = [chat for chat in listed["chats"] if chat.get("unread") or chat.get("marked_unread")]
    assert buttons == [f"Mark read: {chat['title']}" for chat in waiting]


@pytest.mark.parametrize(
    "settings", [{}, {**ALL, "read_only": True}, {**ALL, "exclude_tools": ["mark_chat"]}]
)
async def test_without_the_tool_the_page_has_no_button_and_no_ids(
    opened: Opened, settings: dict[str, Any]
) -> None:
    async with opened(settings=settings) as host:
        result = await host.show()
        assert not any(label.startswith("Mark read: ") for label in await host.buttons())
    assert "last-messages" not in str(result.meta)


async def test_hiding_asks_first_through_the_host_and_the_row_is_gone(
    opened: Opened, portal: DemoPortal
) -> None:
    user = User()
    async with opened(settings={**ALL, "asked": user}) as host:
        await host.show()
        await host.press("Hide: Мария")
        await host.told("Hid “Мария Кузнецова” (7); unread messages marked read with it: 2; no undo")
        await host.sees("30 of 57 chats")
        assert "Мария Кузнецова" not in await host.titles()
        assert '{"7":{"hidden":true}}' in str(await host.host("host.context"))
        assert "Undo" not in await host.buttons()
        assert not any(label.startswith("Hide: Запуск") for label in await host.buttons()), "it is pinned"
    (question,) = user.asked
    assert question.startswith("Hide “Мария Кузнецова” (7) from the chat list?")
    assert len(calls(portal, "im.recent.hide")) == 1


async def test_marking_all_read_asks_first_through_the_host(opened: Opened, portal: DemoPortal) -> None:
    user = User()
    async with opened(settings={**ALL, "asked": user}) as host:
        await host.show()
        await host.press("Mark all read")
        await host.sees("Marked all as read: ")
        await host.until("!document.querySelector('#rows .row [role=img]:not(:empty)')")
        assert '{"all":{"read":true}}' in str(await host.host("host.context"))
    assert len(user.asked) == len(calls(portal, "im.dialog.read.all")) == 1


@pytest.mark.parametrize("button", ["Hide: Мария", "Mark all read"])
async def test_a_no_in_the_host_is_told_in_the_page_and_nothing_is_done(
    opened: Opened, portal: DemoPortal, button: str
) -> None:
    async with opened(settings={**ALL, "asked": User("decline")}) as host:
        await host.show()
        await host.press(button)
        await host.sees("The user said no: ")
        assert "Мария Кузнецова" in await host.titles()
        assert await host.host("host.context") is None
    assert not calls(portal, "im.recent.hide")
    assert not calls(portal, "im.dialog.read.all")


async def test_a_host_that_cannot_ask_gets_no_button_for_what_asks(opened: Opened) -> None:
    async with opened(settings=ALL) as host:
        await host.show()
        buttons = await host.buttons()
    assert not any(label.startswith(("Hide", "Mark all")) for label in buttons)
    assert any(label.startswith("Mark read: ") for label in buttons)


@asynccontextmanager
async def over_http(era: Era, asked: Callable[..., Any]) -> AsyncGenerator[Client]:
    """Connect to a server that a person starts, which has its own demo portal."""
    options = ("--transport", "http", "--port", "0", "--demo", "--toolsets", "marks,tidy")
    with started(*options, announcing=r"on (http\S+/mcp)") as found:
        async with (
            httpx2.AsyncClient(timeout=60) as http,
            Client(
                streamable_http_client(found[1], http_client=http), mode=era, elicitation_callback=asked
            ) as client,
        ):
            yield client


async def test_over_http_the_page_lists_marks_undoes_and_hides(opened: Opened, era: Era) -> None:
    user = User()
    async with over_http(era, user) as client, opened(client=client) as host:
        await host.show()
        await host.sees(" of 58 chats")
        assert "\n3\n" in await row(host, LAUNCH)
        await host.press("Mark read: Запуск")
        await host.told(LAUNCH, "read")
        assert "\n3\n" not in await row(host, LAUNCH)
        await host.press("Undo")
        await host.told(LAUNCH, "unread")
        assert "\n3\n" in await row(host, LAUNCH)
        await host.press("Hide: Мария")
        await host.sees("Hid “Мария Кузнецова” (7)")
        await host.until("!document.body.innerText.includes('Договор')")
    assert len(user.asked) == 1
