"""The authorization page that a person sees, and the token endpoint that an application calls."""

import hmac
from html import escape
from urllib.parse import urlencode

from .asgi.request import HttpRequest
from .asgi.response import Response, html
from .data.tokens import TOKEN_LIFE, TokenPair, TokenStore
from .data.world import World
from .options import Options
from .php import Obj
from .rest import envelope
from .rest.errors import RestError

_MEMBER_ID = "a223c6b3710f85df22e9377d6c4f7553"
_SHOWN = 12


def authorize(http: HttpRequest, options: Options, world: World, tokens: TokenStore, now: float) -> Response:
    """Show the users that may allow the application (GET), or allow it on behalf of one (POST)."""
    if http.field("client_id") != options.client_id:
        return html(400, "Application not found")
    user = http.field("user")
    if http.verb != "POST" or not user.isdigit() or int(user) not in world.people:
        return _form(http, world)
    code = tokens.code(int(user), now)
    target = http.field("redirect_uri")
    if not target:
        hint = "Copy it into the application within 30 seconds:"
        return html(200, "Authorization code", f"<p>{hint}</p>\n<code>{code}</code>")
    answer = {"code": code, "state": http.field("state"), "domain": http.host, "member_id": _MEMBER_ID}
    answer |= {"scope": ",".join(options.scopes), "server_domain": http.host}
    joint = "&" if "?" in target else "?"
    return Response(302, b"", {"location": f"{target}{joint}{urlencode(answer)}"})


def _form(http: HttpRequest, world: World) -> Response:
    names = ("client_id", "state", "redirect_uri", "response_type")
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(http.field(name))}">\n' for name in names
    )
    people = [person for person in world.people.values() if person.active and person.kind == "user"][:_SHOWN]
    buttons = "".join(
        f'<p><button name="user" value="{person.id}">Allow as {escape(person.name)}</button></p>\n'
        for person in people
    )
    content = f'<form method="post" action="/oauth/authorize/">\n{hidden}{buttons}</form>\n'
    return html(200, "Allow the application to act for you?", content)


def token(http: HttpRequest, options: Options, tokens: TokenStore, now: float) -> Response:
    """Exchange a code or a refresh token; an unknown application is told so with status 200."""
    try:
        _check(http, options)
        pair = _pair(http, options, tokens, now)
    except RestError as error:
        body: Obj = {"error": error.code}
        if error.text:
            body["error_description"] = error.text
        return envelope.json_response(options, error.status(options.statuses), body)
    return envelope.json_response(options, 200, _papers(http, options, pair))


def _check(http: HttpRequest, options: Options) -> None:
    if not hmac.compare_digest(http.field("client_id").encode(), options.client_id.encode()):
        raise RestError("wrong_client", status=200)
    if not hmac.compare_digest(http.field("client_secret").encode(), options.client_secret.encode()):
        raise RestError("invalid_client", "Client authentication failed", 400)
    if options.unpaid:
        raise RestError("PAYMENT_REQUIRED", "Payment required", 401)
    if options.uninstalled:
        raise RestError("NOT_INSTALLED", "Application not installed", 401)


def _pair(http: HttpRequest, options: Options, tokens: TokenStore, now: float) -> TokenPair:
    grant = http.field("grant_type")
    if grant == "authorization_code" and http.field("code"):
        pair = tokens.redeem(http.field("code"), now)
    elif grant == "refresh_token" and http.field("refresh_token"):
        pair = tokens.refresh(http.field("refresh_token"), now, rotate=options.rotate)
    else:
        raise RestError("invalid_request", "Invalid parameter in request", 400)
    if pair is None:
        raise RestError("invalid_grant", status=400)
    return pair


def _papers(http: HttpRequest, options: Options, pair: TokenPair) -> Obj:
    base = f"{http.scheme}://{http.host}/rest/"
    papers: Obj = {
        "access_token": pair.access,
        "client_endpoint": base,
        "domain": http.host,
        "expires_in": TOKEN_LIFE,
        "member_id": _MEMBER_ID,
        "refresh_token": pair.refresh,
        "scope": ",".join(options.scopes),
        "server_endpoint": base,
        "status": "L",
    }
    if http.field("grant_type") == "refresh_token":
        papers |= {"expires": int(pair.expires), "user_id": pair.user}
    return papers
