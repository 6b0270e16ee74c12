"""What the portal counts as unread in all chats of a user (`im.counters.get`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import msgspec

from .lenient_json import count, decode, elements

_SECTIONS = ("CHAT", "DIALOG", "COLLAB", "COPILOT", "LINES", "TASKS_TASK", "CHAT_MUTED")
_objects = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, slots=True)
class Counters:
    """`unread` messages and the `marked` chats, which people have marked unread by hand.

    Both name chats by section and number, such as `("DIALOG", 7)`: a number alone is a user's or a chat's.
    """

    unread: Mapping[tuple[str, int], int]
    marked: frozenset[tuple[str, int]]

    def is_marked(self, dialog_id: str) -> bool:
        """Tell whether people have marked a chat, `chatN` or a user's number, as unread."""
        number = count(dialog_id.removeprefix("chat"))
        return any(
            found == number and (section == "DIALOG") == dialog_id.isdigit() for section, found in self.marked
        )


def read_counters(result: msgspec.Raw, _me: str) -> Counters:
    """Read the counters; raises ValueError when the result is no object."""
    sections = decode(result, _objects)
    unread = {
        (name, number): messages for name in _SECTIONS for number, messages in _counts(sections.get(name))
    }
    marked = (
        (name, count(number)) for name in _SECTIONS for number in elements(sections.get(f"{name}_UNREAD"))
    )
    return Counters(unread, frozenset(marked))


def _counts(section: object) -> list[tuple[int, int]]:
    """Read an object of numbers by id; PHP writes an empty one as a list."""
    items = cast("dict[str, object]", section).items() if isinstance(section, dict) else ()
    read = [(count(number), count(messages)) for number, messages in items]
    return [(number, messages) for number, messages in read if number and messages]
