"""What waits for the user, in which order, and why: computed from the list alone, and explained."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bitrix24_chat_mcp.portal.api.models import Chat

PRESSING = timedelta(days=7)
"""How long a claim is pressing; a direct message that was read is owed an answer for as long."""

_GROUPS = {"group", "open", "collab", "crm", "event", "call", "mail", "other"}


@dataclass(frozen=True, slots=True)
class _Claim:
    """A kind of claim on the user's attention: its sentence, and which chats have it at which age."""

    sentence: str
    holds: Callable[[Chat, timedelta], bool]


# The first claim that holds places a chat; muted chats have only those of people.
_CLAIMS = (
    _Claim("a client has waited {}", lambda chat, _: chat.client_waits),
    _Claim("wrote to you directly, waiting {}", lambda chat, _: _from_person(chat) and chat.unread > 0),
    _Claim("marked unread by hand", lambda chat, _: chat.marked_unread),
    _Claim("you owe the answer, waiting {}", lambda chat, age: _from_person(chat) and age <= PRESSING),
    _Claim("unread for {}", lambda chat, _: chat.unread > 0 and chat.kind in _GROUPS and not chat.muted),
    _Claim(
        "unread in a task for {}", lambda chat, _: chat.unread > 0 and chat.kind == "task" and not chat.muted
    ),
)


def rank(chats: list[Chat], now: datetime) -> list[tuple[Chat, str]]:
    """Return the chats that wait for the user, each with the reason; the most pressing first.

    Within one kind of claim the longest waiting comes first, and behind it what is too old to press.
    Bots, channels and notes claim nothing unless they were marked unread by hand.
    """
    waiting: list[tuple[tuple[int, bool, timedelta], Chat, str]] = []
    for chat in chats:
        age = now - chat.active_at if chat.active_at else timedelta()
        for place, claim in enumerate(_CLAIMS):
            if claim.holds(chat, age):
                waiting.append(((place, age > PRESSING, -age), chat, claim.sentence.format(_duration(age))))
                break
    return [(chat, why) for _, chat, why in sorted(waiting, key=lambda one: one[0])]


def _from_person(chat: Chat) -> bool:
    return chat.kind == "person" and not chat.mine and bool(chat.author)


def _duration(age: timedelta) -> str:
    minutes = max(0, round(age.total_seconds() / 60))
    if minutes < 120:  # noqa: PLR2004 - up to two hours in minutes
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"  # noqa: PLR2004 - and two days
