"""The items of im.recent.get: every shape that the source can send."""

from typing import Any

import pytest
from bitrix24_demo_portal import DemoPortal

from .conftest import Call


async def found(call: Call, title: str | None) -> dict[str, Any]:
    items = (await call("im.recent.get"))["result"]
    return next(item for item in items if item and item["title"] == title)


async def test_a_person_comes_with_a_chat_of_three_fields(call: Call) -> None:
    item = await found(call, "Дмитрий Орлов")
    assert item["chat"] == {"text_field_enabled": True, "background_id": None, "mute_list": []}
    assert item["avatar"]["url"].startswith("https://demo.bitrix24.example/upload/")
    assert item["user"]["avatar"].startswith("https://")


async def test_a_missing_avatar_in_high_resolution_stays_a_relative_path(call: Call) -> None:
    item = await found(call, "Мария Кузнецова")
    assert (item["user"]["avatar"], item["user"]["avatar_hr"]) == ("", "/bitrix/js/im/images/blank.gif")


async def test_a_deleted_account_leaves_empty_arrays(call: Call) -> None:
    item = await found(call, [])  # pyright: ignore[reportArgumentType] - that is the quirk
    assert (item["user"], item["avatar"], item["type"]) == ([], [], "user")


async def test_the_user_of_a_chat_is_the_last_author_or_0_or_an_empty_array(call: Call) -> None:
    assert (await found(call, "Бухгалтерия"))["user"]["name"] == "Елена Морозова"
    assert (await found(call, "Согласование отпуска"))["user"] == {"id": 0}
    assert (await found(call, "Чат, чей автор удалён"))["user"] == []


async def test_a_fired_colleague_is_listed_only_with_unread_messages(portal: DemoPortal, call: Call) -> None:
    assert (await found(call, "Павел Смирнов"))["user"]["active"] is False
    listed = [item["id"] for item in (await call("im.recent.get"))["result"] if item]
    assert 31 in listed
    assert 33 not in listed, "Артём Зайцев is inactive, and everything of his is read"
    assert portal.world.private(1, 33)


async def test_notes_are_a_dialog_with_oneself(call: Call) -> None:
    item = await found(call, "Анна Соколова")
    assert (item["id"], item["type"], item["user"]["id"]) == (1, "user", 1)


async def test_the_dialog_with_the_copilot_bot_is_dropped(call: Call) -> None:
    assert 43 not in [item["id"] for item in (await call("im.recent.get"))["result"] if item]


async def test_a_mute_list_names_only_oneself_and_a_muted_chat_still_counts(call: Call) -> None:
    item = await found(call, "Бухгалтерия")
    assert item["chat"]["mute_list"] == {"1": True}
    assert item["counter"] == 4


async def test_roles_are_upper_case_and_an_owner_without_the_mark_is_no_manager(call: Call) -> None:
    marked = await found(call, "Запуск сайта «Северный ветер»")
    assert (marked["chat"]["role"], marked["chat"]["manager_list"]) == ("OWNER", [1])
    plain = await found(call, "Рабочая группа «Переезд»")
    assert (plain["chat"]["role"], plain["chat"]["manager_list"]) == ("OWNER", [])


async def test_some_entities_add_a_path_to_the_restrictions(call: Call) -> None:
    chat = (await found(call, "Рабочая группа «Переезд»"))["chat"]
    assert chat["restrictions"]["path"] == "/workgroups/group/#ID#/"
    assert chat["entity_link"]["url"] == "/workgroups/group/121/"


async def test_an_open_line_brings_its_lines_and_entity_data(call: Call) -> None:
    item = await found(call, "Валентина – Онлайн-чат")
    assert item["lines"].keys() == {"id", "status", "date_create"}
    assert item["chat"]["entity_id"].startswith("livechat|")
    assert item["chat"]["entity_data_2"].startswith("LEAD|1209|")


async def test_a_chat_without_a_title_has_null(call: Call) -> None:
    assert (await found(call, None))["chat"]["name"] is None


async def test_two_items_share_a_second(call: Call) -> None:
    dates = [item["message"]["date"] for item in (await call("im.recent.get"))["result"] if item]
    assert len(set(dates)) < len(dates)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Бухгалтерия", "Акты за октябрь готовы [Файл]"),
        (
            "Подготовить предложение для «Вектора»",
            "Сергей Волков изменил крайний срок на 25 ноября [Вложение]",
        ),
        ("Объявления", "Приказ № 14 во вложении Приказ № 14 о графике"),
        ("Пустое сообщение", "Это сообщение было удалено."),
        ("Deploy Bot", "Build #1842 passed in 3m 12s branch: main"),
        ("Алексей Лебедев", "Я в отпуске до понедельника, макеты в папке"),
        ("Разметка", "[Цитата] Сергей, да [Улыбка] [CODE]a < b && c > d[/CODE]"),
    ],
)
async def test_texts_are_stripped_of_markup_and_gain_markers(call: Call, title: str, text: str) -> None:
    assert " ".join((await found(call, title))["message"]["text"].split()) == text


async def test_file_attach_and_sticker_take_the_forms_of_the_source(call: Call) -> None:
    assert (await found(call, "Бухгалтерия"))["message"]["file"].keys() == {"id", "type", "name"}
    assert (await found(call, "Объявления"))["message"]["attach"] == "Приказ № 14 о графике"
    assert isinstance((await found(call, "Стикеры"))["message"]["sticker"], dict)
    assert (await found(call, "Планёрка отдела продаж"))["message"]["file"] is False


async def test_a_row_may_tell_that_somebody_joined(call: Call) -> None:
    assert (await found(call, "Дарья Жукова"))["options"] == {"default_user_record": True}
    assert (await found(call, "Дмитрий Орлов"))["options"] == []
