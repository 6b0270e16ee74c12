"""The authorization page that a person sees, and the token endpoint that an application calls."""

import hmac
from html import escape
from urllib.parse import urlencode

from bitrix24_demo_portal.asgi.request import HttpRequest
from bitrix24_demo_portal.asgi.response import Response, html
from bitrix24_demo_portal.data.tokens import TOKEN_LIFE, TokenPair, TokenStore
from bitrix24_demo_portal.data.world import World
from bitrix24_demo_portal.rest import envelope
from bitrix24_demo_portal.rest.errors import RestError

from .options import Options
from .php import Obj

_MEMBER_ID = "a223c6b3710f85df22e9377d6c4f7553"
_SHOWN = 12


def authorize(
    message: HttpRequest, options: Options, world: World, tokens: TokenStore, now: float
) -> Response:
    """GET shows who may allow the application; POST with a `user` allows it on that user's behalf."""
    if message.field("client_id") != options.client_id:
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
        "scope": ",".join(options.scopes),
        "server_domain": message.host,
    }
    joint = "&" if "?" in target else "?"
    return Response(302, b"", {"location": f"{target}{joint}{urlencode(answer)}"})


def _form(message: HttpRequest, world: World) -> Response:
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


def token(message: HttpRequest, options: Options, tokens: TokenStore, now: float) -> Response:
    """Exchange a code or a refresh token; an unknown application is told so with status 200."""
    try:
        _check(message, options)
        pair = _pair(message, options, tokens, now)
    except RestError as error:
        body: Obj = {"error": error.code}
        if error.text:
            body["error_description"] = error.text
        return envelope.reply(options, error.status(options.statuses), body)
    return envelope.reply(options, 200, _papers(message, options, pair))


def _check(message: HttpRequest, options: Options) -> None:
    if not hmac.compare_digest(message.field("client_id").encode(), options.client_id.encode()):
        raise RestError("wrong_client", status=200)
    if not hmac.compare_digest(message.field("client_secret").encode(), options.client_secret.encode()):
        raise RestError("invalid_client", "Client authentication failed", 400)
    if options.unpaid:
        raise RestError("PAYMENT_REQUIRED", "Payment required", 401)
    if options.uninstalled:
        raise RestError("NOT_INSTALLED", "Application not installed", 401)


def _pair(message: HttpRequest, options: Options, tokens: TokenStore, now: float) -> TokenPair:
    grant = message.field("grant_type")
    if grant == "authorization_code" and message.field("code"):
        pair = tokens.redeem(message.field("code"), now)
    elif grant == "refresh_token" and message.field("refresh_token"):
        pair = tokens.refresh(message.field("refresh_token"), now, rotate=options.rotate)
    else:
        raise RestError("invalid_request", "Invalid parameter in request", 400)
    if pair is None:
        raise RestError("invalid_grant", status=400)
    return pair


def _papers(message: HttpRequest, options: Options, pair: TokenPair) -> Obj:
    base = f"{message.scheme}://{message.host}/rest/"
    papers: Obj = {
        "access_token": pair.access,
        "client_endpoint": base,
        "domain": message.host,
        "expires_in": TOKEN_LIFE,
        "member_id": _MEMBER_ID,
        "refresh_token": pair.refresh,
        "scope": ",".join(options.scopes),
        "server_endpoint": base,
        "status": "L",
    }
    if message.field("grant_type") == "refresh_token":
        papers |= {"expires": int(pair.expires), "user_id": pair.user}
    return papers
