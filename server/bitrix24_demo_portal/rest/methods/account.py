"""Methods about the caller and the portal: user.current, profile, scope, server.time, app.info."""

from bitrix24_demo_portal.data.people import ME
from bitrix24_demo_portal.php import Obj
from bitrix24_demo_portal.rest import dates
from bitrix24_demo_portal.rest.call import MethodCall
from bitrix24_demo_portal.rest.errors import RestError


def user_current(call: MethodCall) -> Obj:
    """Give the caller's record; ids are strings here."""
    who = call.world.people[call.user]
    date = call.view.date
    return {
        "ID": str(who.id),
        "ACTIVE": who.active,
        "NAME": who.first,
        "LAST_NAME": who.last,
        "EMAIL": f"user{who.id}@{call.options.domain}",
        "LAST_LOGIN": date(call.now - 900),
        "DATE_REGISTER": date(call.now - 400 * 86400),
        "TIME_ZONE": "",
        "IS_ONLINE": "Y",
        "TIMESTAMP_X": date(call.now - 86400),
        "LAST_ACTIVITY_DATE": date(call.now - 20)[:19].replace("T", " "),
        "PERSONAL_GENDER": who.gender,
        "PERSONAL_BIRTHDAY": "",
        "WORK_POSITION": who.position or "",
        "UF_EMPLOYMENT_DATE": "",
        "UF_DEPARTMENT": [1],
        "USER_TYPE": "employee",
    }


def profile(call: MethodCall) -> Obj:
    """Give the little about the caller that needs no scope."""
    who = call.world.people[call.user]
    return {
        "ID": str(who.id),
        "ADMIN": who.id == ME,
        "NAME": who.first,
        "LAST_NAME": who.last,
        "PERSONAL_GENDER": who.gender,
        "TIME_ZONE": "",
    }


def scope(call: MethodCall) -> list[str]:
    """List what the credentials allow."""
    return list(call.caller.scopes)


def server_time(call: MethodCall) -> str:
    """Tell the server's time."""
    return dates.iso(call.now, call.options.zone)


def app_info(call: MethodCall) -> Obj:
    """Describe the application; a webhook gets a little by the source, a refusal by the documentation."""
    if not call.caller.by_webhook:
        return {
            "ID": 5,
            "CODE": call.options.client_id,
            "VERSION": 1,
            "STATUS": "L",
            "INSTALLED": True,
            "PAYMENT_EXPIRED": "N",
            "DAYS": None,
            "LANGUAGE_ID": call.options.language,
            "LICENSE": "ru_ent250",
            "LICENSE_TYPE": "ent250",
            "LICENSE_FAMILY": "ent",
        }
    if call.options.statuses == "docs":
        raise RestError("ACCESS_DENIED", "Access denied! Application context required", 400)
    return {"SCOPE": list(call.caller.scopes), "LICENSE": "ru_ent250"}
