"""Users as documented JSON, and the user for whom an answer is made."""

from typing import NamedTuple

from bitrix24_demo_portal.data.files import read_json
from bitrix24_demo_portal.data.people import color_of
from bitrix24_demo_portal.data.world import Person, World
from bitrix24_demo_portal.options import Options
from bitrix24_demo_portal.php import Obj

from . import dates

_BLANK = "/bitrix/js/im/images/blank.gif"
_BOT_TYPES = {"copilot": "bot", "network": "network", "support24": "support24"}
_SHORT = (
    *("id", "name", "first_name", "last_name", "work_position", "color", "avatar", "gender", "birthday"),
    *("extranet", "network", "bot", "connector", "external_auth_id", "status", "idle", "last_activity_date"),
    *("mobile_last_date", "departments", "absent", "phones"),
)


class Viewer(NamedTuple):
    """The user for whom an answer is made, and when: dates, counters and roles depend on both."""

    world: World
    options: Options
    user: int
    now: float

    def date(self, seconds: float) -> str:
        """Write a date with the server's offset."""
        return dates.iso(seconds, self.options.zone)

    def url(self, path: str) -> str:
        """Complete a relative path, such as an avatar's, with the portal's domain."""
        return f"https://{self.options.domain}{path}" if path.startswith("/") else path


def full_user(viewer: Viewer, person: Person) -> Obj:
    """Describe a user in full."""
    outside = person.kind in {"extranet", "collaber"}
    avatar = viewer.url(person.avatar)
    return {
        "id": person.id,
        "active": person.active,
        "name": person.name,
        "first_name": person.first,
        "last_name": person.last,
        "work_position": person.position,
        "color": color_of(person),
        "avatar": avatar,
        "avatar_hr": avatar or _BLANK,
        "gender": person.gender,
        "birthday": person.birthday,
        "extranet": outside,
        "network": False,
        "bot": bool(person.bot),
        "connector": person.connector,
        "external_auth_id": _authority(person),
        "status": "online",
        "idle": False,
        "last_activity_date": False if person.seen_ago is None else viewer.date(viewer.now - person.seen_ago),
        "mobile_last_date": False,
        "desktop_last_date": False,
        "absent": viewer.date(viewer.now + person.absent_days * 86400) if person.absent_days else False,
        "departments": [] if outside or person.bot else [1 + person.id % 7],
        "phones": person.phones or False,
        "bot_data": _bot_data(person) if person.bot else None,
        "type": person.kind,
        "website": "",
        "email": "" if person.bot else f"user{person.id}@{viewer.options.domain}",
    }


def short_user(viewer: Viewer, person: Person) -> Obj:
    """Describe a user as a search does, with fewer fields and `false` for an unknown birthday."""
    full = full_user(viewer, person)
    return {name: full[name] for name in _SHORT} | {"birthday": person.birthday or False}


def _authority(person: Person) -> str:
    if person.bot:
        return "bot"
    if person.connector:
        return "imconnector"
    return "socservices" if person.id % 3 else "default"


def _bot_data(person: Person) -> Obj:
    own: Obj = {"id": person.id, "code": person.bot, "type": _BOT_TYPES.get(person.bot, "bot")}
    background: Obj = {"background_id": "copilot"} if person.bot == "copilot" else {}
    return own | read_json("templates")["bot_data"] | background


def user_by_id(viewer: Viewer, user: int) -> object:
    """Describe a user by id: `{"id": 0}` for the system, `[]` for a deleted account."""
    if not user:
        return {"id": 0}
    person = viewer.world.people.get(user)
    return full_user(viewer, person) if person else []
