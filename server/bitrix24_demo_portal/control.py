"""The control address `/_demo/`: the portal object's powers over the wire, listed in the package."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, cast

from bitrix24_demo_portal.asgi.request import HttpRequest
from bitrix24_demo_portal.asgi.response import Response

from .faults import NO_FAULT
from .options import Options
from .php import Obj

if TYPE_CHECKING:
    from .faults import Calls
    from .portal import DemoPortal

ROOT = "/_demo/"


def answer(portal: "DemoPortal", message: HttpRequest) -> Response:
    """Do what is asked; 404 for an unknown address, 400 for a body that makes no sense."""
    action = _ACTIONS.get((message.verb, message.path.removeprefix(ROOT).rstrip("/")))
    if action is None:
        return _json(404, {"error": "There is no such control address."})
    try:
        return _json(200, action(portal, message))
    except (LookupError, TypeError, ValueError) as error:
        return _json(400, {"error": f"{type(error).__name__}: {error}"})


def _json(status: int, body: object) -> Response:
    encoded = json.dumps(body, ensure_ascii=False, default=repr).encode()
    return Response(status, encoded, {"content-type": "application/json"})


def _overview(portal: "DemoPortal", message: HttpRequest) -> object:
    base = f"{message.scheme}://{message.host}"
    people = [who for who in portal.world.people.values() if who.active and not (who.bot or who.connector)]
    return {
        "users": [
            {"id": who.id, "name": who.name, "webhook": portal.webhook(who.id, base)} for who in people
        ],
        "client_id": portal.client_id,
        "client_secret": portal.client_secret,
        "authorize": f"{base}/oauth/authorize/",
        "token": f"{base}/oauth/token/",
    }


def _requests(portal: "DemoPortal", _: HttpRequest) -> object:
    return [request.as_json() for request in portal.requests]


def _forget_requests(portal: "DemoPortal", _: HttpRequest) -> object:
    portal.requests.clear()
    return True


def _fail(portal: "DemoPortal", message: HttpRequest) -> object:
    sent = _sent(message)
    fault = replace(NO_FAULT, **cast("Obj", sent.get("fault", {})))
    portal.fail(str(sent.get("method", "*")), fault, cast("Calls", sent.get("calls")))
    return True


def _heal(portal: "DemoPortal", _: HttpRequest) -> object:
    portal.heal()
    return True


def _switch(portal: "DemoPortal", message: HttpRequest) -> object:
    known = {field.name for field in fields(Options)} - {"clock", "zone"}
    sent = _sent(message)
    if sent.keys() - known:
        raise LookupError(f"no such switch: {', '.join(sorted(sent.keys() - known))}")
    for name, value in sent.items():
        setattr(portal, name, _PLURAL.get(name, _as_it_is)(value))
    return {name: getattr(portal, name) for name in sorted(known)}


def _as_it_is(value: object) -> object:
    return value


def _users(value: object) -> object:
    return set(cast("list[int]", value))


def _scopes(value: object) -> object:
    return tuple(cast("list[str]", value))


_PLURAL: dict[str, Callable[[object], object]] = {"restricted": _users, "revoked": _users, "scopes": _scopes}


def _advance(portal: "DemoPortal", message: HttpRequest) -> object:
    portal.advance(float(str(_sent(message)["advance"])))
    return portal.now()


def _say(portal: "DemoPortal", message: HttpRequest) -> object:
    sent = _sent(message)
    return portal.say(str(sent["dialog_id"]), int(str(sent["author"])), str(sent["text"]))


def _reset(portal: "DemoPortal", _: HttpRequest) -> object:
    portal.reset()
    return True


def _sent(message: HttpRequest) -> Obj:
    value: object = json.loads(message.body)
    if not isinstance(value, dict):
        raise TypeError("The body is no JSON object.")
    return cast("Obj", value)


_ACTIONS: dict[tuple[str, str], Callable[["DemoPortal", HttpRequest], object]] = {
    ("GET", ""): _overview,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget_requests,
    ("POST", "faults"): _fail,
    ("DELETE", "faults"): _heal,
    ("POST", "switches"): _switch,
    ("POST", "clock"): _advance,
    ("POST", "say"): _say,
    ("POST", "reset"): _reset,
}
