"""The chats of a portal as data: what the default user's inbox holds, top to bottom."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from bitrix24_demo_portal.php import Obj

from .files import read_json


@dataclass(frozen=True, slots=True)
class ChatFixture:
    """One chat to be made, and its last message.

    People are named by their key in people.json, or by id. `author` wrote the last message ("" for the
    system) and is, in a dialog of two, the other one. `age` is in seconds before the portal's start; None
    leaves it to the place in the list.
    """

    kind: str = "user"
    author: str | int = ""
    title: str | None = ""
    text: str = ""
    unread: int = 0
    pinned: bool = False
    muted: bool = False
    marked: bool = False
    """Marked unread by hand."""
    mine: bool = False
    """In a dialog of two, the user wrote the last message."""
    before: tuple[str, ...] = ()
    """Texts of the messages right before the last one, oldest first."""
    entity: str = ""
    entity_data: tuple[str, str, str] = ("", "", "")
    owner: str | int = ""
    managed: bool = False
    avatar: str = ""
    background: str | None = None
    file: str = ""
    """The name of the file that the last message carries."""
    attach: bool | str = False
    sticker: bool = False
    line_status: int = 40
    queued: bool = False
    """An open line that waits for an operator."""
    outsider: bool = False
    """The chat exists, but the user is no member."""
    parent: bool = False
    joined: bool = False
    empty: bool = False
    age: float | None = None
    same_second: bool = False
    """Its last message has the same date as that of the chat above."""


Section = Literal["everyday", "unusual", "attacks", "unlisted"]
"""Ordinary chats; every other shape that a portal can send; texts that attack their reader (orders to an
assistant, forged structure, invisible characters); chats that im.recent.get leaves out or dates far back."""


@cache
def load_fixtures(section: Section) -> tuple[ChatFixture, ...]:
    """Read the chats of a section, in their order."""
    return tuple(ChatFixture(**_values(entry)) for entry in read_json(section))


def file_object(number: int, name: str) -> Obj | None:
    """Describe an attached file as messages do; None without a name."""
    if not name:
        return None
    return {"id": number, "type": "image" if name.endswith((".png", ".jpg")) else "file", "name": name}


def expand(text: str | list[tuple[str, int]] | None) -> str | None:
    """Return a text; the data files write a long one as pieces, each with how often it is repeated."""
    return "".join(piece * times for piece, times in text) if isinstance(text, list) else text


def _values(entry: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: tuple(value) if name in {"before", "entity_data"} else value for name, value in entry.items()
    }
    return values | {name: expand(values[name]) for name in ("title", "text") if name in values}
