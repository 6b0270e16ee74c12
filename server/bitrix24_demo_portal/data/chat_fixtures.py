"""The default user's inbox, top to bottom: a pleasant morning, then every shape that the portal can send."""

from dataclasses import dataclass

from bitrix24_demo_portal.php import Obj


@dataclass(frozen=True, slots=True)
class ChatFixture:
    """One chat to set up, and its last message.

    People go by their names in the cast or by id; `who` is the last author ("" for the system) and, in a
    dialog of two, the partner. `age` is in seconds before the portal's start; None leaves it to the place
    in the list.
    """

    kind: str = "user"
    who: str | int = ""
    title: str | None = ""
    text: str = ""
    unread: int = 0
    pinned: bool = False
    muted: bool = False
    marked: bool = False
    mine: bool = False
    """In a dialog, the last word was the user's own."""
    before: tuple[str, ...] = ()
    """Earlier messages, oldest first."""
    entity: str = ""
    entity_data: tuple[str, str, str] = ("", "", "")
    owner: str | int = ""
    managed: bool = False
    avatar: str = ""
    background: str | None = None
    file: str = ""
    attach: bool | str = False
    sticker: bool = False
    line_status: int = 40
    queued: bool = False
    outsider: bool = False
    """The user is no member: the chat exists, and is not theirs."""
    parent: bool = False
    joined: bool = False
    empty: bool = False
    age: float | None = None
    same_second: bool = False

    def file_object(self, number: int) -> Obj | None:
        """Give the file that the message carries."""
        if not self.file:
            return None
        kind = "image" if self.file.endswith((".png", ".jpg")) else "file"
        return {"id": number, "type": kind, "name": self.file}


_LEAD = ("Y|LEAD|1209|N|N|343|1773682918|0|0|0", "LEAD|1209|COMPANY|0|CONTACT|0|DEAL|0", "")

MORNING = (
    ChatFixture(
        "chat",
        "volkov",
        "Запуск сайта «Северный ветер»",
        "Сборка на тестовом стенде, посмотрите до обеда 🙏",
        3,
        pinned=True,
        owner="me",
        managed=True,
        before=("Домен перенесли", "Осталась форма заявки", "Тексты от маркетинга уже внутри"),
    ),
    ChatFixture(
        "user", "orlov", text="Пришлите, пожалуйста, цифры за квартал к четырём", unread=1, pinned=True
    ),
    ChatFixture(
        "crm",
        "kuznetsova",
        "Сделка: ООО «Ромашка», внедрение",
        "Клиент просит счёт до пятницы",
        pinned=True,
        entity="DEAL|1663",
        owner="kuznetsova",
    ),
    ChatFixture(
        "user",
        "kuznetsova",
        text="Договор согласовали! Отправляю на подпись 🎉",
        unread=2,
        before=("Созвонилась с юристом клиента",),
    ),
    ChatFixture(
        "lines",
        "client",
        "Валентина – Онлайн-чат",
        "Здравствуйте! Подскажите, когда доставят заказ № 4481?",
        1,
        entity="livechat|22|1775|201",
        entity_data=_LEAD,
    ),
    ChatFixture(
        "user", "carter", text="Thanks, the contract looks good. Can we talk on Thursday at 10?", unread=1
    ),
    ChatFixture(
        "tasksTask",
        "",
        "Подготовить предложение для «Вектора»",
        "Сергей Волков изменил крайний срок на 25 ноября",
        entity="8293",
        attach=True,
        owner="me",
        managed=True,
    ),
    ChatFixture(
        "chat", "morozova", "Бухгалтерия", "Акты за октябрь готовы", file="акты-10.pdf", muted=True, unread=4
    ),
    ChatFixture(
        "calendar",
        "novikova",
        "Планёрка отдела продаж",
        "Перенесла на 11:30, переговорная «Байкал»",
        entity="512",
        owner="novikova",
    ),
    ChatFixture(
        "general",
        "orlov",
        "Общий чат",
        "Коллеги, в пятницу короткий день",
        muted=True,
        unread=12,
        avatar="/upload/im/general.png",
    ),
    ChatFixture(
        "collab",
        "miller",
        "Northwind redesign",
        "Uploaded the new mockups, comments welcome",
        2,
        entity="64",
        background="collab",
        file="mockups-v3.png",
    ),
    ChatFixture("user", "volkov", text="Ок, тогда беру в работу завтра с утра", mine=False),
    ChatFixture(
        "mail", "belova", "Re: Счёт № 318 от 12 ноября", "Добрый день! Оплату провели сегодня", entity="7041"
    ),
    ChatFixture(
        "channel", "novikova", "Новости компании", "Открыли набор на курсы английского", owner="orlov"
    ),
    ChatFixture(
        "copilot",
        "copilot",
        "Письмо клиенту о переносе сроков",
        "Вот вежливый вариант письма",
        background="copilot",
    ),
    ChatFixture("call", "petrov", "Созвон по бюджету", "Запись встречи готова", entity="9941"),
    ChatFixture("user", "me", text="Купить билеты в Казань до среды", mine=True),
    ChatFixture("user", "marta", text="Доброе утро! Сегодня у вас две встречи", unread=1),
)

ODD = (
    ChatFixture(
        "user",
        "lebedev",
        text="Я в отпуске до понедельника, макеты в [URL=https://disk.example/s]папке[/URL]",
    ),
    ChatFixture(
        "sonetGroup", "petrov", "Рабочая группа «Переезд»", "Серверная готова", entity="121", owner="me"
    ),
    ChatFixture("openChannel", "belova", "Маркетинг: кейсы", "Новый кейс про логистику", 1),
    ChatFixture(
        "lines",
        "client",
        "Telegram: @kirill_shop",
        "[B]Спасибо[/B], вопрос решён",
        entity="telegrambot|8|4410|201",
        entity_data=_LEAD,
        line_status=60,
    ),
    ChatFixture("videoconf", "carter", "Weekly sync (video)", "The link stays the same", owner="carter"),
    ChatFixture("open", "novikova", "Клуб любителей бега", "Кто в субботу в парк?", muted=True),
    ChatFixture("user", "weber", text="Guten Tag! The invoice is attached.", file="invoice-2291.pdf"),
    ChatFixture("user", "smirnov", text="Ключи от склада я оставил на проходной", unread=1),
    ChatFixture("user", 999_001, text="Сообщение от человека, чью учётную запись удалили"),
    ChatFixture("user", "robot", text="Build #1842 passed in 3m 12s\nbranch: main", marked=True),
    ChatFixture("chat", 999_003, "Чат, чей автор удалён", "Всем пока"),
    ChatFixture("chat", "petrov", None, "Чат без названия"),
    ChatFixture("chat", "belova", "Пустое сообщение", ""),
    ChatFixture("chat", "volkov", "Тот же миг", "Эти два сообщения пришли в одну секунду", same_second=True),
    ChatFixture(
        "announcement", "orlov", "Объявления", "Приказ № 14 во вложении", attach="Приказ № 14 о графике"
    ),
    ChatFixture("tasks", "", "Согласование отпуска", "Вы добавлены в задачу", entity="8101"),
    ChatFixture(
        "tasksTask", "volkov", "Fix: export drops time zones", "Reproduced on staging", 2, entity="8310"
    ),
    ChatFixture("thread", "petrov", "Brown chat No.18", "No idea what this type is for", entity="17"),
    ChatFixture("support24Notifier", "", "Служба поддержки", "Ваше обращение закрыто"),
    ChatFixture("generalChannel", "orlov", "Главный канал", "Итоги месяца", muted=True),
    ChatFixture("chat", "lebedev", "Стикеры", "", sticker=True),
    ChatFixture("user", "emoji", text="👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 e\u0301 — семейный выходной!", unread=1),
    ChatFixture(
        "chat",
        "morozova",
        "Очень длинное сообщение",
        "Коротко о главном: бюджет согласован, но есть вопросы. " * 40 + "🧾📎" * 30,
    ),
    ChatFixture(
        "chat",
        "kuznetsova",
        "Разметка",
        "------------------------------------------------------\nИван [12:00]\nЦитата\n"
        "------------------------------------------------------\n[USER=9 REPLACE]Сергей[/USER], [s]нет[/s] "
        "да [ICON=/i.png title=Улыбка] [CODE]a < b && c > d[/CODE]",
    ),
    ChatFixture("networkDialog", "petrov", "Партнёр по сети", "Добрый день, коллеги", entity="network|12"),
    ChatFixture("support24Question", "", "Вопрос в поддержку № 118", "Ответим в течение часа"),
    ChatFixture("user", "zhukova", text="Теперь в нашей команде", joined=True),
)

BEYOND = (
    ChatFixture("chat", "orlov", "Стратегия на год", "Документ финальный", pinned=True, age=41 * 86400),
    ChatFixture("user", "novikova", text="Спасибо, анкету получила", pinned=True, age=63 * 86400),
    ChatFixture("chat", "petrov", "Архив: переезд 2023", "Закрываем чат", age=190 * 86400),
    ChatFixture("user", "zaitsev", text="Документы передал, всего доброго", age=12 * 86400),
    ChatFixture("user", "copilot", text="Чем могу помочь?", age=3 * 86400),
    ChatFixture("comment", "belova", "Комментарии", "Отличный кейс!", age=2 * 86400, parent=True),
    ChatFixture("chat", "volkov", "Чужой чат", "Сюда вас не звали", age=86400, outsider=True),
    ChatFixture("chat", "petrov", "Пустой чат", age=5 * 86400, empty=True),
    ChatFixture(
        "lines",
        "client",
        "Олег – ВКонтакте",
        "Есть кто живой?",
        1,
        age=20 * 86400,
        queued=True,
        line_status=0,
    ),
    ChatFixture("lines", "client", "Валентина – очередь", empty=True, age=600, queued=True, line_status=0),
)
