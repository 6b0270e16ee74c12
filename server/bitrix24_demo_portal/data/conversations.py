"""What was said in the chats before the messages of their fixtures: a history to read and to search."""

from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from .chat_fixtures import expand, file_object
from .files import read_json
from .people import ME
from .world import FIRST_CHAT_ID, Chat, Message, Person, World

_TYPES = "PCOBX"
_MOST = 15  # messages of a chat; so many ids are kept for each, all below those of the fixtures' messages
_PAUSE = 4 * 3600  # seconds between two conversations
_GAPS = (20, 45, 90, 240, 600)  # seconds between two messages


class Conversations(NamedTuple):
    """Makes the earlier messages of a chat, the same ones for a seed."""

    world: World
    seed: int

    def __call__(self, chat: Chat) -> list[Message]:
        """Return one or two conversations of the user with other members, oldest message first."""
        others = _employees(self.world, chat)
        if chat.message_type not in _TYPES or not chat.messages or ME not in chat.members or not others:
            return []
        rng = Random(f"{self.seed}:conversations:{chat.id}")  # noqa: S311 - stable, not a secret
        speakers = [self.world.people[ME], *(others[place % len(others)] for place in range(3))]
        newest_first = [_message(line, date, speakers, rng) for line, date in _lines(chat, rng)][:_MOST]
        messages = newest_first[::-1]
        for number, message in enumerate(messages, 1 + (chat.id - FIRST_CHAT_ID) // 2 * _MOST):
            message.id = number
        return messages


def _employees(world: World, chat: Chat) -> list[Person]:
    known = [world.people[member] for member in sorted(chat.members - {ME}) if member in world.people]
    return [person for person in known if not (person.bot or person.connector)]


def _lines(chat: Chat, rng: Random) -> Iterator[tuple[dict[str, Any], float]]:
    """Yield lines of conversations.json with their dates, back from the first message that there is."""
    language = "en" if f"{chat.title}{chat.messages[-1].text}".isascii() else "ru"
    date = chat.messages[0].date - _PAUSE
    conversations = rng.sample(read_json("conversations")[language], rng.randint(1, 2))
    for line in chain.from_iterable(reversed(conversation) for conversation in conversations):
        date -= rng.choice(_GAPS)
        yield line, date


def _message(line: dict[str, Any], date: float, speakers: list[Person], rng: Random) -> Message:
    """Make a message: `from` 0 is the user, 1 to 3 are other members, and without it the system speaks."""
    said_by: int | None = line.get("from")
    return Message(
        0 if said_by is None else speakers[said_by].id,
        (expand(line["text"]) or "").format(*speakers, quote="-" * 54),
        date,
        uuid=None if said_by is None else str(UUID(int=rng.getrandbits(128), version=4)),
        file=file_object(rng.randrange(1, 900), line.get("file", "")),
        params=dict(line.get("params", {})),
    )
