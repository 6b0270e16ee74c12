"""What the pages of signing in say, in each language."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "ru"]


@dataclass(frozen=True, slots=True)
class Texts:
    """The sentences of one language.

    `may` has one for `list`, `pin` and each set of tools; `notices` a heading and a sentence for each end of
    a sign-in.
    """

    title: str
    asks: str
    calls_itself: str
    nameless: str
    may_label: str
    may: dict[str, str]
    may_not_label: str
    may_not_write: str
    may_not_write_though_read: str
    may_not_else: str
    then_label: str
    this_computer: str
    warning: str
    yes: str
    no: str
    notices: dict[str, tuple[str, str]]


TEXTS: dict[Language, Texts] = {
    "en": Texts(
        title="Bitrix24 chats",
        asks="{program} asks to see your chats",
        calls_itself="A program that calls itself {name}",
        nameless="A program without a name",
        may_label="It may",
        may={
            "list": "see the list of your chats at {portal}: "
            "titles, the last message of each, what is unread",
            "read": "read the messages of your chats, and search in them",
            "pin": "pin and unpin chats in your own list",
            "marks": "mark chats read or unread, and mute them",
            "tidy": "hide chats, and mark all of them read",
        },
        may_not_label="It may not",
        may_not_write="write messages, or read further back",
        may_not_write_though_read="write messages",
        may_not_else="see anything else in Bitrix24, or your password",
        then_label="Afterwards you are sent to",
        this_computer="a program on this computer",
        warning="Go on only if you have asked for this yourself. The name is what the program calls itself.",
        yes="Sign in with Bitrix24",
        no="Cancel",
        notices={
            "declined": (
                "Nobody was signed in",
                "You have declined at Bitrix24. Close this window, and go back to where you began.",
            ),
            "done": (
                "Bitrix24 has let you in",
                "Close this window, and go back to where you began: it says whether you are signed in.",
            ),
            "ended": (
                "This sign-in has ended",
                "It took too long, or began in another browser. Go back to your assistant and connect again.",
            ),
            "not_ours": (
                "Nobody was signed in",
                "This is no answer to the sign-in that was begun here. Close this window, and begin again.",
            ),
        },
    ),
    "ru": Texts(
        title="Чаты Битрикс24",
        asks="{program} хочет видеть ваши чаты",
        calls_itself="Программа, которая называет себя {name},",
        nameless="Программа без имени",
        may_label="Программа сможет",
        may={
            "list": "видеть список ваших чатов на {portal}: названия, последние сообщения, непрочитанное",
            "read": "читать переписку в ваших чатах и искать в ней",
            "pin": "закреплять и откреплять чаты в вашем списке",
            "marks": "отмечать чаты прочитанными и непрочитанными, выключать их звук",
            "tidy": "скрывать чаты и отмечать прочитанными все сразу",
        },
        may_not_label="Программа не сможет",
        may_not_write="писать сообщения и читать переписку глубже",
        may_not_write_though_read="писать сообщения",
        may_not_else="видеть что-либо ещё в Битрикс24 и узнать ваш пароль",
        then_label="После входа вы перейдёте на",
        this_computer="программа на этом компьютере",
        warning="Продолжайте, только если вы сами начали вход. Имя программы указала она сама.",
        yes="Войти через Битрикс24",
        no="Отмена",
        notices={
            "declined": (
                "Вход не выполнен",
                "Вы отказались от входа в Битрикс24. Закройте это окно и вернитесь туда, откуда начали.",
            ),
            "done": (
                "Битрикс24 разрешил вход",
                "Закройте это окно и вернитесь туда, откуда начали: там сказано, удался ли вход.",
            ),
            "ended": (
                "Этот вход завершён",
                "Истекло время, или он начат в другом браузере. Вернитесь к ассистенту и подключитесь снова.",
            ),
            "not_ours": (
                "Вход не выполнен",
                "Это не ответ на вход, начатый здесь. Закройте это окно и начните снова.",
            ),
        },
    ),
}
