"""The types of chats: what each is in the database, where it links to, and what it forbids."""

from functools import cache
from typing import NamedTuple

from bitrix24_demo_portal.php import Obj

from .files import read_json
from .world import Chat

_ACTIONS = ("avatar", "rename", "extend", "call", "mute", "leave", "leave_owner", "send", "user_list")


class ChatType(NamedTuple):
    """A row of chat_types.json: `message_type`, `entity_type`, and where `entity_link` leads."""

    message_type: str = "C"
    entity_type: str = ""
    link: str = ""
    url: str = ""
    path: tuple[str, str] | None = None
    """`path` and `path_title`, which some entities add to the restrictions."""
    forbidden: tuple[str, ...] = ()


@cache
def chat_type(kind: str) -> ChatType:
    """Look a type up by Bitrix24's name; an unknown one is an ordinary group chat."""
    return ChatType(**read_json("chat_types").get(kind, {}))


def entity_link(chat: Chat) -> Obj:
    """Describe the entity as `{type, url, id}`; the address stays relative."""
    kind = chat_type(chat.kind)
    url = kind.url.format(id=chat.entity_id, number=chat.entity_id.rpartition("|")[2])
    return {"type": kind.link, "url": url, "id": chat.entity_id if kind.link else ""}


def restrictions(chat: Chat) -> Obj:
    """Say what the chat's type allows, with a path to its entity for some."""
    kind = chat_type(chat.kind)
    allowed: Obj = {action: action not in kind.forbidden for action in _ACTIONS}
    return allowed | {"path": kind.path[0], "path_title": kind.path[1]} if kind.path else allowed


def may_pin(chat: Chat) -> bool:
    """Tell whether members may pin it: not open lines and comment threads."""
    return chat.message_type not in {"L", "T"}


def may_mute(chat: Chat) -> bool:
    """Tell whether members may mute it: not open lines, calls and support chats."""
    return "mute" not in chat_type(chat.kind).forbidden
