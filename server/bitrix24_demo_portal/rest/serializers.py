"""Chats, messages and the items of the recent list as documented JSON."""

from bitrix24_demo_portal.data.chat_types import entity_link, restrictions
from bitrix24_demo_portal.data.files import read_json
from bitrix24_demo_portal.data.people import color_of
from bitrix24_demo_portal.data.world import Chat, Message, Person, Row, dialog_id, partner
from bitrix24_demo_portal.php import Obj

from .plain_text import plain
from .users import Viewer, full_user, user_by_id


def short_message(viewer: Viewer, message: Message | None, created: float = 0.0) -> Obj:
    """Describe the last message in a list item."""
    if message is None:
        return read_json("templates")["no message"] | {"date": viewer.date(created), "status": "received"}
    file = message.file
    return {
        "id": message.id,
        "text": plain(message, viewer.options.language),
        "file": {name: file[name] for name in ("id", "type", "name")} if file else False,
        "author_id": message.author,
        "attach": message.attach,
        "sticker": message.sticker,
        "date": viewer.date(message.date),
        "status": "delivered" if message.author == viewer.user else "received",
        "uuid": message.uuid,
    }


def chat_core(viewer: Viewer, chat: Chat) -> Obj:
    """Describe a chat, as far as lists, dialogs and searches agree."""
    return {
        "id": chat.id,
        "parent_chat_id": chat.parent,
        "parent_message_id": 0,
        "name": chat.title,
        "owner": chat.owner,
        "extranet": chat.collaber,
        "avatar": viewer.url(chat.avatar),
        "color": chat.color,
        "type": chat.kind,
        "entity_type": chat.entity_type,
        "entity_id": chat.entity_id,
        "entity_data_1": chat.entity_data[0],
        "entity_data_2": chat.entity_data[1],
        "entity_data_3": chat.entity_data[2],
        "date_create": viewer.date(chat.created),
        "message_type": chat.message_type,
        "user_counter": len(chat.members),
        "restrictions": restrictions(chat),
        "text_field_enabled": chat.kind != "announcement",
        "background_id": chat.background,
        "entity_link": entity_link(chat),
        "permissions": read_json("templates")["permissions"]
        | ({"can_post": "manager"} if chat.message_type in {"N", "J"} else {}),
        "public": _public(viewer, chat),
    }


def _public(viewer: Viewer, chat: Chat) -> object:
    if chat.kind != "videoconf":
        return ""
    return {"code": f"video{chat.id}", "link": f"https://{viewer.options.domain}/video/video{chat.id}"}


def role(viewer: Viewer, chat: Chat) -> str:
    """Return the user's role in a chat: OWNER, MANAGER, MEMBER or GUEST."""
    if viewer.user not in chat.members:
        return "GUEST"
    if chat.owner == viewer.user:
        return "OWNER"
    return "MANAGER" if viewer.user in chat.managers else "MEMBER"


def _muted(viewer: Viewer, chat: Chat) -> object:
    return {str(viewer.user): True} if viewer.user in chat.muted else []


def list_chat(viewer: Viewer, chat: Chat) -> Obj:
    """Describe a chat in a list item: `mute_list` names only the caller, and `role` is upper case."""
    return chat_core(viewer, chat) | {
        "contains_collaber": chat.collaber,
        "mute_list": _muted(viewer, chat),
        "manager_list": [viewer.user] if viewer.user in chat.managers else [],
        "role": role(viewer, chat),
    }


def item(viewer: Viewer, row: Row) -> Obj | None:
    """Describe a row of the list; return None where Bitrix24 leaves the row out."""
    chat = row.chat
    if viewer.user not in chat.members:
        return None
    if chat.message_type == "P":
        return _dialog_item(viewer, row)
    if chat.last is None:
        return None
    avatar: Obj = {"url": viewer.url(chat.avatar), "color": chat.color}
    special: Obj = {"chat": list_chat(viewer, chat), "user": user_by_id(viewer, chat.last.author)}
    if chat.entity_type == "LINES":
        special["lines"] = {
            "id": chat.id + 500,
            "status": chat.line_status,
            "date_create": viewer.date(chat.created),
        }
    return _common(viewer, row, "chat", avatar, chat.title) | special | _options(row)


def _dialog_item(viewer: Viewer, row: Row) -> Obj | None:
    chat = row.chat
    person = viewer.world.people.get(partner(chat, viewer.user))
    if person and not _is_listed(person, has_unread=bool(chat.unread_by(viewer.user))):
        return None
    shown: object = full_user(viewer, person) if person else []
    avatar: object = {"url": viewer.url(person.avatar), "color": color_of(person)} if person else []
    surroundings: Obj = {
        "text_field_enabled": True,
        "background_id": chat.background,
        "mute_list": _muted(viewer, chat),
    }
    special: Obj = {"user": shown, "chat": surroundings}
    return _common(viewer, row, "user", avatar, person.name if person else []) | special | _options(row)


def _is_listed(person: Person, *, has_unread: bool) -> bool:
    kept = person.active or has_unread or person.bot or person.connector
    return bool(kept) and person.bot != "copilot"


def _common(viewer: Viewer, row: Row, kind: str, avatar: object, title: object) -> Obj:
    return {
        "id": dialog_id(row.chat, viewer.user),
        "chat_id": row.chat.id,
        "type": kind,
        "avatar": avatar,
        "title": title,
        "message": short_message(viewer, row.chat.last, row.chat.created),
        "counter": len(row.chat.unread_by(viewer.user)),
        "last_id": row.chat.read.get(viewer.user, 0),
        "pinned": row.pinned,
        "unread": row.marked,
        "has_reminder": False,
        "date_update": viewer.date(row.updated),
        "date_last_activity": viewer.date(row.activity),
    }


def _options(row: Row) -> Obj:
    return {"options": {"default_user_record": True} if row.joined else []}
