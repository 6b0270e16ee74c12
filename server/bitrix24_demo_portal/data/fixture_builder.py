"""Makes a portal's contents from a seed: the chat fixtures in their order, then ordinary office chats."""

from collections.abc import Iterator
from random import Random
from uuid import UUID

from .chat_fixtures import ChatFixture, file_object, load_fixtures
from .chat_types import chat_type
from .conversations import Conversations
from .files import read_json
from .people import COLORS, ME, named_people, person_id, populate
from .world import Chat, Message, World

_SPAN = 27 * 86400  # the newest `chats` all lie within im.recent.get's 30 days
_GAP = 90.0  # seconds between a chat's messages
_PEOPLE_OF_A_SMALL_OFFICE = 40
_KINDS = ("chat", "chat", "user", "tasksTask", "user", "lines", "crm", "chat", "user", "open")
_AUTHORS = ("volkov", "kuznetsova", "belova", "petrov")
_EVERYBODY = {"general", "generalChannel", "channel"}


def generate_world(seed: int, chats: int, now: float) -> World:
    """Make a world: the default user's im.recent.get lists `chats` items, plus some odd ones beyond."""
    world = World(populate(seed, min(_PEOPLE_OF_A_SMALL_OFFICE + chats // 20, 250)))
    rng = Random(f"{seed}:chats")  # noqa: S311 - a stable office, not a secret
    curated = (*load_fixtures("everyday"), *load_fixtures("unusual"), *load_fixtures("attacks"))
    fixtures = [*curated[:chats], *_office_chats(world, rng, chats - len(curated))]
    builder = FixtureBuilder(world, rng, now)
    for fixture, age in zip(fixtures, list(_ages(fixtures)), strict=True):
        builder.add(fixture, age)
    if chats >= len(curated):
        for fixture in load_fixtures("unlisted"):
            builder.add(fixture, fixture.age or 0)
    builder.number_messages()
    world.earlier = Conversations(world, seed)
    for chat in world.chats.values():
        chat.complete = False
    return world


def _ages(fixtures: list[ChatFixture]) -> Iterator[float]:
    """Yield the age of each: minutes at the top, weeks at the bottom."""
    age = 0.0
    for index, fixture in enumerate(fixtures):
        if not fixture.same_second:
            age = 240 + 420 * index + (index / len(fixtures)) ** 3 * (_SPAN - 420 * len(fixtures))
        yield age if fixture.age is None else fixture.age


def _office_chats(world: World, rng: Random, count: int) -> Iterator[ChatFixture]:
    office = read_json("office")
    last_named = max(person.id for person in named_people().values())
    strangers = [number for number in world.people if number > last_named]
    for number in range(count):
        kind = rng.choice(_KINDS)
        kind = "chat" if kind == "user" and not strangers else kind
        author = strangers.pop() if kind == "user" else rng.choice(_AUTHORS)
        title = f"{rng.choice(office['topics'])}: {rng.choice(office['companies'])}"
        yield ChatFixture(
            kind,
            "client" if kind == "lines" else author,
            f"{title} {number + 1}",
            rng.choice(_small_talk(title)),
            unread=rng.choice((0, 0, 0, 0, 1, 2, 5)),
            muted=rng.random() < 0.1,  # noqa: PLR2004 - one in ten
            entity=_entity(kind, number),
        )


def _small_talk(text: str) -> list[str]:
    """Return phrases in the language of a text."""
    return read_json("office")["small_talk"]["en" if text.isascii() else "ru"]


def _entity(kind: str, number: int) -> str:
    return {"crm": f"DEAL|{1700 + number}", "lines": f"livechat|22|{1800 + number}|201"}.get(
        kind, str(8400 + number)
    )


class FixtureBuilder:
    """Makes chats of fixtures; their messages get ids at the end, in the order of their dates."""

    def __init__(self, world: World, rng: Random, now: float) -> None:
        self.world = world
        self._rng = rng
        self._now = now
        self._unread: list[tuple[Chat, int]] = []

    @classmethod
    def for_one_more(cls, world: World, seed: int, now: float) -> "FixtureBuilder":
        """Return a builder that adds a chat to a world in use."""
        return cls(world, Random(f"{seed}:{world.next_chat}"), now)  # noqa: S311 - stable, not secret

    def add(self, fixture: ChatFixture, age: float) -> Chat:
        """Make one chat with its messages, and its rows in the members' lists."""
        date = float(int(self._now - age))
        chat = self._chat(fixture, date)
        if not fixture.empty:
            chat.messages = [*self._before(fixture, chat, date), self._last(fixture, chat, date)]
        self._unread.append((chat, fixture.unread))
        self._rows(fixture, chat, date)
        return chat

    def number_messages(self) -> None:
        """Give ids by date, and mark all read but the last `unread` of each fixture."""
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

    def _chat(self, fixture: ChatFixture, date: float) -> Chat:
        kind = chat_type(fixture.kind)
        chat = self.world.add_chat(fixture.title, fixture.kind, kind.message_type, self._members(fixture))
        chat.entity_type, chat.entity_id, chat.entity_data = (
            kind.entity_type,
            fixture.entity,
            fixture.entity_data,
        )
        chat.owner = 0 if kind.message_type == "P" else person_id(fixture.owner)
        chat.managers = {ME} if fixture.managed else set()
        chat.color = self._rng.choice(COLORS)
        chat.avatar, chat.background = fixture.avatar, fixture.background
        chat.line_status = fixture.line_status
        chat.collaber = fixture.kind == "collab"
        chat.parent = next(iter(self.world.chats)) if fixture.parent else 0
        chat.muted = {ME} if fixture.muted else set()
        chat.created = date - self._rng.randint(1, 400) * 86400
        return chat

    def _members(self, fixture: ChatFixture) -> set[int]:
        author = person_id(fixture.author)
        if fixture.kind == "user":
            return {ME, author}
        crowd = {person_id(fixture.owner), author, *self._rng.sample(list(self.world.people), 3)} - {0}
        if fixture.kind in _EVERYBODY:
            crowd = {person.id for person in self.world.people.values() if not person.bot}
        absent = fixture.outsider or (fixture.queued and fixture.empty)
        return crowd - {ME} if absent else crowd | {ME}

    def _before(self, fixture: ChatFixture, chat: Chat, date: float) -> list[Message]:
        """Make the messages before the last one, at least as many as are unread."""
        phrases = _small_talk(f"{fixture.title}{fixture.text}")
        texts = list(fixture.before) or self._rng.choices(phrases, k=max(2, fixture.unread))
        texts = texts if len(texts) >= fixture.unread else self._rng.choices(phrases, k=fixture.unread)
        authors = [member for member in sorted(chat.members) if member != ME] or [ME]
        return [
            self._message(authors[place % len(authors)], text, date - _GAP * (len(texts) - place))
            for place, text in enumerate(texts)
        ]

    def _last(self, fixture: ChatFixture, chat: Chat, date: float) -> Message:
        last = self._message(ME if fixture.mine else person_id(fixture.author), fixture.text, date)
        last.file, last.attach = file_object(chat.id * 3, fixture.file), fixture.attach
        last.sticker = {"id": 7, "packid": 1, "packtype": "vendor"} if fixture.sticker else None
        return last

    def _message(self, author: int, text: str, date: float) -> Message:
        uuid = str(UUID(int=self._rng.getrandbits(128), version=4)) if author else None
        return Message(author, text, date, uuid=uuid)

    def _rows(self, fixture: ChatFixture, chat: Chat, date: float) -> None:
        if fixture.queued:
            self.world.queues.setdefault(ME, []).append(chat.id)
        for user in chat.members & self.world.people.keys():
            row = self.world.row(user, chat, date)
            row.updated = row.activity = date
        if ME in chat.members:
            row = self.world.rows[ME][chat.id]
            row.marked, row.joined = fixture.marked, fixture.joined
            if fixture.pinned:
                row.pinned, row.place = True, len(self.world.pins(ME)) + 1
