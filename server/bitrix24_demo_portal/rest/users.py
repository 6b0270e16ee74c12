"""People as documented JSON, and through whose eyes the portal is seen."""

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
    """A user's eyes at a moment: what they see depends on who and when."""

    world: World
    options: Options
    user: int
    now: float

    def date(self, seconds: float) -> str:
        """Write a date with the server's offset."""
        return dates.iso(seconds, self.options.zone)

    def url(self, path: str) -> str:
        """Relative avatar paths get the portal's domain."""
        return f"https://{self.options.domain}{path}" if path.startswith("/") else path


def person(viewer: Viewer, who: Person) -> Obj:
    """Describe a person in full."""
    outside = who.kind in {"extranet", "collaber"}
    avatar = viewer.url(who.avatar)
    return {
        "id": who.id,
        "active": who.active,
        "name": who.name,
        "first_name": who.first,
        "last_name": who.last,
        "work_position": who.position,
        "color": color_of(who),
        "avatar": avatar,
        "avatar_hr": avatar or _BLANK,
        "gender": who.gender,
        "birthday": who.birthday,
        "extranet": outside,
        "network": False,
        "bot": bool(who.bot),
        "connector": who.connector,
        "external_auth_id": _authority(who),
        "status": "online",
        "idle": False,
        "last_activity_date": False if who.seen_ago is None else viewer.date(viewer.now - who.seen_ago),
        "mobile_last_date": False,
        "desktop_last_date": False,
        "absent": viewer.date(viewer.now + who.absent_days * 86400) if who.absent_days else False,
        "departments": [] if outside or who.bot else [1 + who.id % 7],
        "phones": who.phones or False,
        "bot_data": _bot_data(who) if who.bot else None,
        "type": who.kind,
        "website": "",
        "email": "" if who.bot else f"user{who.id}@{viewer.options.domain}",
    }


def short_person(viewer: Viewer, who: Person) -> Obj:
    """Describe a person as a search does, with fewer fields and `false` for an unknown birthday."""
    full = person(viewer, who)
    return {name: full[name] for name in _SHORT} | {"birthday": who.birthday or False}


def _authority(who: Person) -> str:
    if who.bot:
        return "bot"
    if who.connector:
        return "imconnector"
    return "socservices" if who.id % 3 else "default"


def _bot_data(who: Person) -> Obj:
    own: Obj = {"id": who.id, "code": who.bot, "type": _BOT_TYPES.get(who.bot, "bot")}
    background: Obj = {"background_id": "copilot"} if who.bot == "copilot" else {}
    return own | read_json("templates")["bot_data"] | background


def account(viewer: Viewer, user: int) -> object:
    """Describe a user by id: `{"id": 0}` for the system, `[]` for a deleted account."""
    if not user:
        return {"id": 0}
    who = viewer.world.people.get(user)
    return person(viewer, who) if who else []
