"""Chats, messages and the items of the recent list as documented JSON."""

from bitrix24_demo_portal.data.chat_types import entity_link, restrictions
from bitrix24_demo_portal.data.people import color_of
from bitrix24_demo_portal.data.world import Chat, Message, Row, dialog_id, partner
from bitrix24_demo_portal.php import Obj

from .plain_text import plain
from .users import Viewer, account, person


def short_message(view: Viewer, message: Message | None, created: float = 0.0) -> Obj:
    """Describe the last message in a list item."""
    if message is None:
        nothing: Obj = {"id": 0, "text": "", "file": False, "author_id": 0, "attach": False, "sticker": None}
        return nothing | {"date": view.date(created), "status": "received"}
    file = message.file
    return {
        "id": message.id,
        "text": plain(message, view.options.language),
        "file": {name: file[name] for name in ("id", "type", "name")} if file else False,
        "author_id": message.author,
        "attach": message.attach,
        "sticker": message.sticker,
        "date": view.date(message.date),
        "status": "delivered" if message.author == view.user else "received",
        "uuid": message.uuid,
    }


def chat_core(view: Viewer, chat: Chat) -> Obj:
    """Describe what every long form of a chat has."""
    return {
        "id": chat.id,
        "parent_chat_id": chat.parent,
        "parent_message_id": 0,
        "name": chat.title,
        "owner": chat.owner,
        "extranet": chat.collaber,
        "avatar": view.url(chat.avatar),
        "color": chat.color,
        "type": chat.kind,
        "entity_type": chat.entity_type,
        "entity_id": chat.entity_id,
        "entity_data_1": chat.entity_data[0],
        "entity_data_2": chat.entity_data[1],
        "entity_data_3": chat.entity_data[2],
        "date_create": view.date(chat.created),
        "message_type": chat.letter,
        "user_counter": len(chat.members),
        "restrictions": restrictions(chat),
        "text_field_enabled": chat.kind != "announcement",
        "background_id": chat.background,
        "entity_link": entity_link(chat),
        "permissions": {
            "manage_users_add": "member",
            "manage_users_delete": "manager",
            "manage_ui": "member",
            "manage_settings": "owner",
            "manage_messages": "member",
            "can_post": "manager" if chat.letter in {"N", "J"} else "member",
        },
        "public": _public(view, chat),
    }


def _public(view: Viewer, chat: Chat) -> object:
    if chat.kind != "videoconf":
        return ""
    return {"code": f"video{chat.id}", "link": f"https://{view.options.domain}/video/video{chat.id}"}


def role(view: Viewer, chat: Chat) -> str:
    """OWNER, MANAGER, MEMBER or GUEST."""
    if view.user not in chat.members:
        return "GUEST"
    if chat.owner == view.user:
        return "OWNER"
    return "MANAGER" if view.user in chat.managers else "MEMBER"


def _muted(view: Viewer, chat: Chat) -> object:
    return {str(view.user): True} if view.user in chat.muted else []


def list_chat(view: Viewer, chat: Chat) -> Obj:
    """Describe a chat in a list item: the mute list knows only the caller, roles are upper case."""
    return chat_core(view, chat) | {
        "contains_collaber": chat.collaber,
        "mute_list": _muted(view, chat),
        "manager_list": [view.user] if view.user in chat.managers else [],
        "role": role(view, chat),
    }


def item(view: Viewer, row: Row) -> Obj | None:
    """Describe a row, or give None where Bitrix24 drops the row."""
    chat = row.chat
    if view.user not in chat.members:
        return None
    if chat.letter == "P":
        return _dialog_item(view, row)
    if chat.last is None:
        return None
    avatar: Obj = {"url": view.url(chat.avatar), "color": chat.color}
    special: Obj = {"chat": list_chat(view, chat), "user": account(view, chat.last.author)}
    if chat.entity_type == "LINES":
        special["lines"] = {
            "id": chat.id + 500,
            "status": chat.line_status,
            "date_create": view.date(chat.created),
        }
    return _common(view, row, "chat", avatar, chat.title) | special | _options(row)


def _dialog_item(view: Viewer, row: Row) -> Obj | None:
    chat = row.chat
    who = view.world.people.get(partner(chat, view.user))
    if who and (
        who.bot == "copilot" or not (who.active or chat.unread_by(view.user) or who.bot or who.connector)
    ):
        return None
    shown: object = person(view, who) if who else []
    avatar: object = {"url": view.url(who.avatar), "color": color_of(who)} if who else []
    surroundings: Obj = {
        "text_field_enabled": True,
        "background_id": chat.background,
        "mute_list": _muted(view, chat),
    }
    special: Obj = {"user": shown, "chat": surroundings}
    return _common(view, row, "user", avatar, who.name if who else []) | special | _options(row)


def _common(view: Viewer, row: Row, kind: str, avatar: object, title: object) -> Obj:
    return {
        "id": dialog_id(row.chat, view.user),
        "chat_id": row.chat.id,
        "type": kind,
        "avatar": avatar,
        "title": title,
        "message": short_message(view, row.chat.last, row.chat.created),
        "counter": len(row.chat.unread_by(view.user)),
        "last_id": row.chat.read.get(view.user, 0),
        "pinned": row.pinned,
        "unread": row.marked,
        "has_reminder": False,
        "date_update": view.date(row.updated),
        "date_last_activity": view.date(row.activity),
    }


def _options(row: Row) -> Obj:
    return {"options": {"default_user_record": True} if row.joined else []}
