"""The authorization page that a person sees, and the token endpoint that an application calls."""

import hmac
from html import escape
from urllib.parse import urlencode

from . import envelope
from .php import Obj
from .refusals import RestError
from .replies import Reply, html
from .state import World
from .switches import Switches
from .tokens import TOKEN_LIFE, Pair, Tokens
from .wire import Message

_MEMBER_ID = "a223c6b3710f85df22e9377d6c4f7553"
_SHOWN = 12


def authorize(message: Message, switches: Switches, world: World, tokens: Tokens, now: float) -> Reply:
    """GET shows who may allow the application; POST with a `user` allows it on that user's behalf."""
    if message.field("client_id") != switches.client_id:
        return html(400, "Application not found")
    user = message.field("user")
    if message.verb != "POST" or not user.isdigit() or int(user) not in world.people:
        return _form(message, world)
    code = tokens.code(int(user), now)
    target = message.field("redirect_uri")
    if not target:
        return html(
            200,
            "Authorization code",
            f"<p>Copy it into the application within 30 seconds:</p>\n<code>{code}</code>",
        )
    answer = {
        "code": code,
        "state": message.field("state"),
        "domain": message.host,
        "member_id": _MEMBER_ID,
        "scope": ",".join(switches.scopes),
        "server_domain": message.host,
    }
    joint = "&" if "?" in target else "?"
    return Reply(302, b"", {"location": f"{target}{joint}{urlencode(answer)}"})


def _form(message: Message, world: World) -> Reply:
    names = ("client_id", "state", "redirect_uri", "response_type")
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(message.field(name))}">\n' for name in names
    )
    people = [who for who in world.people.values() if who.active and who.kind == "user"][:_SHOWN]
    buttons = "".join(
        f'<p><button name="user" value="{who.id}">Allow as {escape(who.name)}</button></p>\n'
        for who in people
    )
    content = f'<form method="post" action="/oauth/authorize/">\n{hidden}{buttons}</form>\n'
    return html(200, "Allow the application to act for you?", content)


def token(message: Message, switches: Switches, tokens: Tokens, now: float) -> Reply:
    """Exchange a code or a refresh token; an unknown application is told so with status 200."""
    try:
        _check(message, switches)
        pair = _pair(message, switches, tokens, now)
    except RestError as error:
        body: Obj = {"error": error.code}
        if error.text:
            body["error_description"] = error.text
        return envelope.reply(switches, error.status(switches.statuses), body)
    return envelope.reply(switches, 200, _papers(message, switches, pair))


def _check(message: Message, switches: Switches) -> None:
    if not hmac.compare_digest(message.field("client_id").encode(), switches.client_id.encode()):
        raise RestError("wrong_client", status=200)
    if not hmac.compare_digest(message.field("client_secret").encode(), switches.client_secret.encode()):
        raise RestError("invalid_client", "Client authentication failed", 400)
    if switches.unpaid:
        raise RestError("PAYMENT_REQUIRED", "Payment required", 401)
    if switches.uninstalled:
        raise RestError("NOT_INSTALLED", "Application not installed", 401)


def _pair(message: Message, switches: Switches, tokens: Tokens, now: float) -> Pair:
    grant = message.field("grant_type")
    if grant == "authorization_code" and message.field("code"):
        pair = tokens.redeem(message.field("code"), now)
    elif grant == "refresh_token" and message.field("refresh_token"):
        pair = tokens.refresh(message.field("refresh_token"), now, rotate=switches.rotate)
    else:
        raise RestError("invalid_request", "Invalid parameter in request", 400)
    if pair is None:
        raise RestError("invalid_grant", status=400)
    return pair


def _papers(message: Message, switches: Switches, pair: Pair) -> Obj:
    base = f"{message.scheme}://{message.host}/rest/"
    papers: Obj = {
        "access_token": pair.access,
        "client_endpoint": base,
        "domain": message.host,
        "expires_in": TOKEN_LIFE,
        "member_id": _MEMBER_ID,
        "refresh_token": pair.refresh,
        "scope": ",".join(switches.scopes),
        "server_endpoint": base,
        "status": "L",
    }
    if message.field("grant_type") == "refresh_token":
        papers |= {"expires": int(pair.expires), "user_id": pair.user}
    return papers
