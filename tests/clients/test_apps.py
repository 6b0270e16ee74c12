"""What the page of chats does: in Chromium, with the extension's own bridge, our server, the demo portal."""

import anyio
from app_host import Opened
from bitrix24_demo_portal import DemoPortal, Fault
from browser import ENTER, SPACE, TAB
from support.conversation import facts

FREE, PINNED = "chat1215", "chat1201"


async def test_the_answer_at_hand_is_drawn(opened: Opened) -> None:
    async with opened() as host:
        listed = facts(await host.show())
        await host.sees("30 of 58 chats")
        assert await host.titles() == [chat["title"] for chat in listed["chats"]]
        shown = await host.words()
        assert not host.calls
    assert "41 unread in 18 chats · as of 2026-11-21 18:30 · active in the last 30 days" in shown
    for word in ("\n3\n", "group · pinned", "18:26", "Nov 20", "Сергей Волков: Сборка", "you: Купить"):
        assert word in shown


async def test_the_reasons_of_what_waits_are_drawn(opened: Opened) -> None:
    async with opened() as host:
        await host.show(show="attention")
        await host.sees("wrote to you directly, waiting 31 min")
        await host.sees("16 of 16 matching, of 58 chats in all")
        await host.sees("hidden by show=attention: 17 group, ")


async def test_the_filter_leaves_what_matches_without_asking(opened: Opened) -> None:
    async with opened() as host:
        await host.show()
        await host.page("document.getElementById('filter').focus()")
        await host.window.type("волк")
        await host.until("document.querySelectorAll('.row').length < 6")
        assert "Сергей Волков" in await host.titles()
        await host.window.type("ъъъ")
        await host.sees("Nothing here.")
        assert not host.calls


async def test_search_asks_the_tool_and_refresh_asks_again(opened: Opened) -> None:
    async with opened() as host:
        await host.show()
        await host.page("document.getElementById('filter').focus()")
        await host.window.type(f"volkov{ENTER}")
        await host.sees(" matching, of 58 chats in all")
        await host.press("Refresh")
        await host.until("!document.getElementById('done').textContent")
        asked = [(call.name, call.arguments) for call in host.calls]
    assert asked == [("list_recent_chats", {"query": "volkov"})] * 2


async def test_more_goes_on_where_the_answer_ended(opened: Opened) -> None:
    async with opened() as host:
        first = facts(await host.show(kinds=["group", "person"], limit=10))
        await host.press("Show more")
        await host.until("document.querySelectorAll('.row').length == 20")
        assert host.calls[0].arguments == {
            "kinds": ["group", "person"],
            "limit": 10,
            "cursor": first["next_cursor"],
        }
        titles = await host.titles()
    assert len(titles) == 20
    assert titles[:10] == [chat["title"] for chat in first["chats"]]


def pinned(portal: DemoPortal) -> set[str]:
    return {f"chat{row.chat.id}" for row in portal.world.pins(1)}


async def test_a_click_pins_and_another_takes_it_back(opened: Opened, portal: DemoPortal) -> None:
    async with opened() as host:
        await host.show()
        assert FREE not in pinned(portal)
        await host.press("Pin: Бухгалтерия")
        await host.told("Бухгалтерия", "pinned")
        assert FREE in pinned(portal)
        assert await host.pressed(f"pin_chat-{FREE}")
        assert '{"chat1215":{"pinned":true}}' in str(await host.host("host.context"))
        await host.press("Undo")
        await host.sees("unpinned")
        assert FREE not in pinned(portal)
        assert "Undo" in await host.buttons(), "and that can be taken back, too"


async def test_the_assistant_is_told_ids_and_states_and_no_words_of_others(opened: Opened) -> None:
    async with opened() as host:
        await host.show()
        assert "Tell the assistant" not in await host.buttons()
        await host.press("Pin: Бухгалтерия")
        await host.told("Бухгалтерия", "pinned")
        await host.press("Tell the assistant")
        await host.sees("✓")
        (told,) = await host.host("host.told")
    said = 'Done by the user in the list of chats: {"chat1215":{"pinned":true}}'
    assert told == {"role": "user", "content": [{"type": "text", "text": said}]}


async def test_at_the_limit_of_pins_the_pinned_ones_are_offered(opened: Opened, portal: DemoPortal) -> None:
    world = portal.world
    for row in [row for row in world.recent(1) if not row.pinned and f"chat{row.chat.id}" != FREE]:
        if len(world.pins(1)) < portal.pin_limit:
            world.pin(1, row, row.updated)
    async with opened() as host:
        await host.show(query="Бухгалтерия")
        await host.press("Pin: Бухгалтерия")
        await host.sees("PIN_LIMIT: 45 chats are pinned already")
        await host.press("Show pinned chats")
        await host.until("document.querySelectorAll('[aria-pressed=true]').length > 30")
        assert host.calls[-1].arguments == {"show": "pinned", "limit": 200}
        await host.press("Pin: Запуск")
        await host.sees("unpinned")
    assert PINNED not in pinned(portal)


async def test_a_refusal_is_told_in_the_server_s_sentence(opened: Opened, portal: DemoPortal) -> None:
    portal.fail("im.recent.pin", Fault(error="ACCESS_ERROR"))
    async with opened() as host:
        await host.show()
        await host.press("Pin: Бухгалтерия")
        await host.sees("ACCESS_ERROR: The user may not do this with this chat")
        assert not await host.pressed(f"pin_chat-{FREE}")
        assert "Undo" not in await host.buttons()


async def test_a_failed_list_is_its_sentence(opened: Opened, portal: DemoPortal) -> None:
    portal.fail("*", Fault(error="INSUFFICIENT_SCOPE", status=403))
    async with opened() as host:
        await host.show()
        await host.sees("INSUFFICIENT_SCOPE: ")
        assert not await host.titles()


async def test_a_read_only_server_has_no_buttons_that_change(opened: Opened) -> None:
    async with opened(settings={"read_only": True}) as host:
        await host.show()
        await host.sees("30 of 58")
        assert not any(label.startswith("Pin") for label in await host.buttons())
        assert "group · pinned" in await host.words()


async def test_an_old_conversation_is_drawn_without_the_server(opened: Opened) -> None:
    async with opened(without=("serverTools", "message", "updateModelContext")) as host:
        await host.show()
        await host.sees("30 of 58")
        assert {label.split(":")[0] for label in await host.buttons()} == {"Open in Bitrix24"}


async def test_the_host_s_locale_is_its_language(opened: Opened) -> None:
    async with opened(locale="ru-RU") as host:
        await host.show()
        await host.sees("30 из 58 чатов")
        assert "Обновить" in await host.buttons()
        assert await host.page("document.documentElement.lang") == "ru"
        await host.bridge("setHostContext", {"locale": "en-US"})
        await host.sees("30 of 58 chats")


async def test_the_keyboard_alone_does_everything(opened: Opened, portal: DemoPortal) -> None:
    async with opened() as host:
        await host.show()
        focused = "document.activeElement.id"
        reached: list[str] = []
        while (now := await host.page(focused)) != f"pin_chat-{FREE}":
            reached.append(now)
            assert len(reached) < 40, reached
            await host.window.type(TAB)
        assert {"refresh", "filter", "search", f"pin_chat-{PINNED}"} <= set(reached)
        await host.window.type(SPACE)
        await host.told("Бухгалтерия", "pinned")
        assert await host.page(focused) == f"pin_chat-{FREE}", "the focus is kept"
        assert FREE in pinned(portal)


async def test_the_list_stays_where_it_was_scrolled_to(opened: Opened) -> None:
    async with opened() as host:
        await host.show()
        top = "document.getElementById('list').scrollTop"
        await host.page(f"{top} = 400")
        await host.page(f"document.getElementById('pin_chat-{FREE}').click()")
        await host.told("Бухгалтерия", "pinned")
        assert await host.page(top) == 400


async def test_teardown_is_answered_and_ends_it(opened: Opened) -> None:
    async with opened() as host:
        await host.show()
        assert await host.bridge("teardownResource", {}) == {}
        said = len(await host.host("host.messages"))
        await host.page("document.querySelector('.row button').click()")
        await host.bridge("sendToolInput", {"arguments": {}})
        assert "30 of 58" in await host.words()
        assert len(await host.host("host.messages")) == said + 1


async def test_an_old_answer_vanishes_when_new_input_arrives(opened: Opened) -> None:
    async with opened() as host:
        await host.show()
        await host.sees("30 of 58")
        await host.bridge("sendToolInput", {"arguments": {"query": "x"}})
        await host.sees("Asking Bitrix24…")
        assert not await host.titles()
        await host.bridge("sendToolCancelled", {})
        await host.sees("Cancelled.")


async def test_an_answer_that_comes_after_a_newer_one_is_dropped(opened: Opened) -> None:
    async with opened() as host:
        await host.show()
        host.released = anyio.Event()
        await host.press("Refresh")
        await host.show(query="Бухгалтерия")
        await host.sees("1 of 1 matching")
        host.released.set()
        await host.press("Refresh")
        await host.until("!document.getElementById('done').textContent")
        assert [call.arguments for call in host.calls] == [{}, {"query": "Бухгалтерия"}]
        assert await host.titles() == ["Бухгалтерия"]


async def test_an_answer_without_structure_is_its_text(opened: Opened) -> None:
    async with opened() as host:
        text = "1 of 1 chats\nchat7\tgroup\tA <b>bold</b> title"
        await host.bridge("sendToolResult", {"content": [{"type": "text", "text": text}]})
        await host.sees("A <b>bold</b> title")
