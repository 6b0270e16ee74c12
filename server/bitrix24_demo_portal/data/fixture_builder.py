"""A portal's contents, from a seed: the scenes in their order, then ordinary office chats for the rest."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from .attacks import ATTACKS
from .chat_fixtures import BEYOND, MORNING, ODD, ChatFixture
from .chat_types import CHAT_TYPES, ChatType
from .people import CAST, COLORS, ME, populate
from .world import Chat, Message, World

_CURATED = (*MORNING, *ODD, *ATTACKS)
_SPAN = 27 * 86400  # the newest `chats` all lie within im.recent.get's 30 days
_GAP = 90.0  # seconds between a chat's messages
_PEOPLE_OF_A_SMALL_OFFICE = 40

_COMPANIES = [
    "Вектор",
    "Ромашка",
    "Полюс",
    "Аврора",
    "Меридиан",
    "Кедр",
    "Гранит",
    "Орион",
    "Northwind",
    "Contoso",
    "Fabrikam",
    "Тайга",
]
_TOPICS = (
    "Внедрение", "Поставка", "Редизайн", "Договор", "Аудит", "Склад", "Интеграция", "Onboarding", "Support",
)  # fmt: skip
_CHATTER = (
    *("Добрый день!", "Принято, спасибо", "Смотрю", "Давайте завтра в 10", "Уточню и вернусь с ответом"),
    *("Файл в папке проекта", "Кто сможет помочь?", "Сделано ✅", "Отправила клиенту", "Нужно согласование"),
    *("Созвонимся после обеда?", "Проверил, всё работает", "На складе осталось 14 штук", "Счёт оплачен"),
)
_ENGLISH_CHATTER = (
    *("Sounds good", "I'll take a look today", "Could you send the latest version?", "Merged, thanks!"),
    *("Let's move it to Monday", "Who owns this one?"),
)
_FILLERS = ("chat", "chat", "user", "tasksTask", "user", "lines", "crm", "chat", "user", "open")


def generate_world(seed: int, chats: int, now: float) -> World:
    """Make a world: the default user's im.recent.get lists `chats` items, plus some odd ones beyond."""
    world = World(populate(seed, min(_PEOPLE_OF_A_SMALL_OFFICE + chats // 20, 250)))
    rng = Random(f"{seed}:chats")  # noqa: S311 - a stable office, not a secret
    scenes = [*_CURATED[:chats], *_fillers(world, rng, chats - len(_CURATED))]
    builder = FixtureBuilder(world, rng, now)
    ages = list(_ages(scenes))
    for scene, age in zip(scenes, ages, strict=True):
        builder.add(scene, age)
    if chats >= len(_CURATED):
        for scene in BEYOND:
            builder.add(scene, scene.age or 0)
    builder.number_messages()
    return world


def _ages(scenes: list[ChatFixture]) -> Iterator[float]:
    """Minutes at the top, weeks at the bottom."""
    age = 0.0
    for index, scene in enumerate(scenes):
        if not scene.same_second:
            age = 240 + 420 * index + (index / len(scenes)) ** 3 * (_SPAN - 420 * len(scenes))
        yield age if scene.age is None else scene.age


def _fillers(world: World, rng: Random, count: int) -> Iterator[ChatFixture]:
    strangers = [who for who in world.people if who > max(person.id for person in CAST.values())]
    for number in range(count):
        kind = rng.choice(_FILLERS)
        if kind == "user" and not strangers:
            kind = "chat"
        who = strangers.pop() if kind == "user" else rng.choice(("volkov", "kuznetsova", "belova", "petrov"))
        title = f"{rng.choice(_TOPICS)}: {rng.choice(_COMPANIES)}"
        yield ChatFixture(
            kind,
            "client" if kind == "lines" else who,
            f"{title} {number + 1}",
            rng.choice(_chatter(title)),
            unread=rng.choice((0, 0, 0, 0, 1, 2, 5)),
            muted=rng.random() < 0.1,  # noqa: PLR2004 - one in ten
            entity=_entity(kind, number),
        )


def _chatter(text: str) -> tuple[str, ...]:
    """Pick small talk in the language of a text."""
    return _ENGLISH_CHATTER if text.isascii() else _CHATTER


def _entity(kind: str, number: int) -> str:
    return {"crm": f"DEAL|{1700 + number}", "lines": f"livechat|22|{1800 + number}|201"}.get(
        kind, str(8400 + number)
    )


class FixtureBuilder:
    """Sets scenes up as chats; messages get their ids at the end, in the order of their dates."""

    def __init__(self, world: World, rng: Random, now: float) -> None:
        self.world = world
        self._rng = rng
        self._now = now
        self._unread: list[tuple[Chat, int]] = []

    @classmethod
    def for_one_more(cls, world: World, seed: int, now: float) -> "FixtureBuilder":
        """Set a builder for one more chat in a world that lives."""
        return cls(world, Random(f"{seed}:{world.next_chat}"), now)  # noqa: S311 - stable, not secret

    def add(self, scene: ChatFixture, age: float) -> Chat:
        """One chat with its history and its rows."""
        date = float(int(self._now - age))
        chat = self._chat(scene, date)
        if not scene.empty:
            chat.messages = self._messages(scene, chat, date)
        self._unread.append((chat, scene.unread))
        self._rows(scene, chat, date)
        return chat

    def number_messages(self) -> None:
        """Give ids by date, and mark all read but the last `unread` of each scene."""
        fresh = sorted(
            (message for chat, _ in self._unread for message in chat.messages if not message.id),
            key=lambda message: message.date,
        )
        for message in fresh:
            message.id = self.world.next_message
            self.world.next_message += 2
        for chat, unread in self._unread:
            seen = chat.messages[: len(chat.messages) - unread]
            chat.read = dict.fromkeys(chat.members, chat.messages[-1].id if chat.messages else 0)
            chat.read[ME] = seen[-1].id if seen else 0
        self._unread.clear()

    def _chat(self, scene: ChatFixture, date: float) -> Chat:
        kind = CHAT_TYPES.get(scene.kind, ChatType("C"))
        members = self._members(scene)
        chat = self.world.add_chat(scene.title, scene.kind, kind.letter, members)
        chat.entity_type, chat.entity_id, chat.entity_data = kind.entity, scene.entity, scene.entity_data
        chat.owner = 0 if kind.letter == "P" else cast_id(scene.owner)
        chat.managers = {ME} if scene.managed else set()
        chat.color = self._rng.choice(COLORS)
        chat.avatar, chat.background, chat.line_status = scene.avatar, scene.background, scene.line_status
        chat.collaber = scene.kind == "collab"
        chat.parent = next(iter(self.world.chats)) if scene.parent else 0
        chat.muted = {ME} if scene.muted else set()
        chat.created = date - self._rng.randint(1, 400) * 86400
        return chat

    def _members(self, scene: ChatFixture) -> set[int]:
        who = cast_id(scene.who)
        if scene.kind == "user":
            return {ME, who}
        crowd = {cast_id(scene.owner), who, *self._rng.sample(list(self.world.people), 3)} - {0}
        if scene.kind in {"general", "generalChannel", "channel"}:
            crowd = {person.id for person in self.world.people.values() if not person.bot}
        return crowd - {ME} if scene.outsider or (scene.queued and scene.empty) else crowd | {ME}

    def _messages(self, scene: ChatFixture, chat: Chat, date: float) -> list[Message]:
        who = cast_id(scene.who)
        author = ME if scene.mine else who
        others = [member for member in sorted(chat.members) if member != ME] or [ME]
        small_talk = _chatter(f"{scene.title}{scene.text}")
        texts = list(scene.before) or self._rng.choices(small_talk, k=max(2, scene.unread))
        texts = texts if len(texts) >= scene.unread else self._rng.choices(small_talk, k=scene.unread)
        history = [
            self._message(
                others[place % len(others)] if chat.letter != "P" else who, text, date - _GAP * left
            )
            for place, (text, left) in enumerate(zip(texts, range(len(texts), 0, -1), strict=True))
        ]
        last = self._message(author, scene.text, date)
        last.file, last.attach = scene.file_object(chat.id * 3), scene.attach
        last.sticker = {"id": 7, "packid": 1, "packtype": "vendor"} if scene.sticker else None
        return [*history, last]

    def _message(self, author: int, text: str, date: float) -> Message:
        uuid = str(UUID(int=self._rng.getrandbits(128), version=4)) if author else None
        return Message(author, text, date, uuid=uuid)

    def _rows(self, scene: ChatFixture, chat: Chat, date: float) -> None:
        if scene.queued:
            self.world.queues.setdefault(ME, []).append(chat.id)
        for user in chat.members & self.world.people.keys():
            row = self.world.row(user, chat, date)
            row.updated = row.activity = date
        if ME in chat.members:
            self._mine(scene, chat)

    def _mine(self, scene: ChatFixture, chat: Chat) -> None:
        row = self.world.rows[ME][chat.id]
        row.marked, row.joined = scene.marked, scene.joined
        if scene.pinned:
            row.pinned, row.place = True, len(self.world.pins(ME)) + 1


def cast_id(who: str | int) -> int:
    """Find a person's id, from a name in the cast; 0 is the system."""
    if isinstance(who, int):
        return who
    return CAST[who].id if who else 0
