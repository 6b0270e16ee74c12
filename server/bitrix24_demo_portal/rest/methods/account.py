"""Methods about the caller and the portal: user.current, profile, scope, server.time, app.info."""

from bitrix24_demo_portal.data.files import read_json
from bitrix24_demo_portal.data.people import ME
from bitrix24_demo_portal.php import Obj
from bitrix24_demo_portal.rest import dates
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError


def user_current(call: MethodCall) -> Obj:
    """Return the caller's record, in which ids are strings."""
    person = call.world.people[call.user]
    date = call.viewer.date
    return read_json("templates")["user.current"] | {
        "ID": str(person.id),
        "ACTIVE": person.active,
        "NAME": person.first,
        "LAST_NAME": person.last,
        "EMAIL": f"user{person.id}@{call.options.domain}",
        "LAST_LOGIN": date(call.now - 900),
        "DATE_REGISTER": date(call.now - 400 * 86400),
        "TIMESTAMP_X": date(call.now - 86400),
        "LAST_ACTIVITY_DATE": date(call.now - 20)[:19].replace("T", " "),
        "PERSONAL_GENDER": person.gender,
        "WORK_POSITION": person.position or "",
    }


def profile(call: MethodCall) -> Obj:
    """Return what a caller may know about itself without any scope."""
    person = call.world.people[call.user]
    return {
        "ID": str(person.id),
        "ADMIN": person.id == ME,
        "NAME": person.first,
        "LAST_NAME": person.last,
        "PERSONAL_GENDER": person.gender,
        "TIME_ZONE": "",
    }


def scope(call: MethodCall) -> list[str]:
    """Return the scopes of the credentials."""
    return list(call.caller.scopes)


def server_time(call: MethodCall) -> str:
    """Return the server's time."""
    return dates.iso(call.now, call.options.zone)


def app_info(call: MethodCall) -> Obj:
    """Describe the application; a webhook gets a short answer by the source, an error by the docs."""
    if not call.caller.by_webhook:
        own: Obj = {"CODE": call.options.client_id, "LANGUAGE_ID": call.options.language}
        return read_json("templates")["app.info"] | own
    if call.options.statuses == "docs":
        raise RestError("ACCESS_DENIED", "Access denied! Application context required", 400)
    return {"SCOPE": list(call.caller.scopes), "LICENSE": "ru_ent250"}
