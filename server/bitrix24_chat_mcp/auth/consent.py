"""The consent page, and the way back from the portal.

Bitrix24 lets an application in without asking once it is installed, so the consent page is where a person
learns which program will see the chats. An authorization belongs to the browser that began it, by a cookie:
nobody can begin a sign-in and let somebody else finish it. The cookie is `SameSite=Lax` and the page's
address is sealed and known to that browser alone, so no other site can send the form.
"""

from html import escape
from http import HTTPStatus
from urllib.parse import urlsplit

from mcp.server.transport_security import RequestBodyLimitMiddleware
from pydantic import AnyUrl
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bitrix24_chat_mcp.answers.failure import describe
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher

from . import redirect_uris
from .pending import LIFE, PendingAuthorization, PendingAuthorizations, Stage
from .provider import Provider

ROOT = "/sign-in"
MOST_BODY_BYTES = 64 * 1024
"""Largest body that a page or an endpoint reads."""
_MOST_CODE = 1024
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1.2rem;margin-right:.5rem}strong{overflow-wrap:anywhere}"
)
_LOST = (
    "This sign-in has ended, or was begun in another browser. Go back to your assistant and connect again."
)


class ConsentPages:
    """The routes of a sign-in. `origin` is the server's own address."""

    def __init__(
        self, provider: Provider, pending: PendingAuthorizations, refresher: TokenRefresher, origin: str
    ) -> None:
        self._provider = provider
        self._pending = pending
        self._refresher = refresher
        self._origin = origin
        self._back = f"{origin}{ROOT}/back"
        self._secure = origin.startswith("https:")

    def routes(self) -> list[Route]:
        """Return the routes, the way back first: its path looks like a consent page's."""
        bounded = [Middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BODY_BYTES)]
        return [
            Route(f"{ROOT}/back", self.come_back, methods=["GET"]),
            Route(f"{ROOT}/{{sealed}}", self.ask, methods=["GET"]),
            Route(f"{ROOT}/{{sealed}}", self.answer, methods=["POST"], middleware=bounded),
        ]

    async def bind(self, response: Response) -> bool:
        """Give the cookie to a browser that is sent to the consent page; return whether it is."""
        address = response.headers.get("location", "")
        pending = await self._pending.open("consent", address.removeprefix(f"{self._origin}{ROOT}/"))
        if pending is None:
            return False
        response.set_cookie(
            self._cookie(pending),
            self._pending.cookie(pending),
            max_age=LIFE,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return True

    async def ask(self, request: Request) -> Response:
        """Show who wants to see the chats."""
        sealed = request.path_params["sealed"]
        pending = await self._open("consent", sealed, request)
        if pending is None:
            return _page(_LOST, status=HTTPStatus.BAD_REQUEST)
        return _page(_question(pending, self._refresher.application.portal), sealed)

    async def answer(self, request: Request) -> Response:
        """Send the browser to the portal, or back to the client with a no."""
        pending = await self._open("consent", request.path_params["sealed"], request)
        if pending is None:
            return _page(_LOST, status=HTTPStatus.BAD_REQUEST)
        if (await request.form(max_files=0)).get("answer") != "yes":
            return await self._return(pending, error="access_denied")
        state = self._pending.seal("return", pending)
        return _redirect(self._refresher.application.authorization_url(state, self._back))

    async def come_back(self, request: Request) -> Response:
        """Exchange the portal's code, keep the pair, and send the browser to the client."""
        asked = request.query_params
        pending = await self._open("return", asked.get("state", ""), request)
        if pending is None:
            return _page(_LOST, status=HTTPStatus.BAD_REQUEST)
        code = asked.get("code", "")
        if not 1 <= len(code) <= _MOST_CODE:
            return await self._return(pending, error="access_denied")
        if not await self._pending.finish(pending):
            return _page(_LOST, status=HTTPStatus.BAD_REQUEST)
        try:
            pair = await self._refresher.exchange_code(code, self._back)
            credentials = await self._refresher.sign_in(f"{pair.portal}#{pair.user}", pair)
        except PortalError as error:
            return await self._return(pending, error="access_denied", error_description=describe(error))
        return await self._return(pending, code=self._provider.welcome(pending, credentials.key))

    async def _open(self, stage: Stage, sealed: str, request: Request) -> PendingAuthorization | None:
        """Return an authorization that this browser has begun."""
        pending = await self._pending.open(stage, sealed)
        if pending is None or not self._pending.is_by(pending, request.cookies.get(self._cookie(pending))):
            return None
        return pending

    async def _return(self, pending: PendingAuthorization, **answer: str) -> Response:
        await self._pending.finish(pending)
        answered = {**answer, "state": pending.state, "iss": self._origin}
        response = _redirect(redirect_uris.with_answer(pending.redirect_uri, answered))
        response.delete_cookie(self._cookie(pending), secure=self._secure, httponly=True, samesite="lax")
        return response

    def _cookie(self, pending: PendingAuthorization) -> str:
        """Name the cookie. With `__Host-` no other host or page of the domain can have set it."""
        return f"{'__Host-' if self._secure else ''}sign-in-{pending.id[:16]}"


def _question(pending: PendingAuthorization, portal: str) -> str:
    if pending.client_host:
        client = f"<strong>{escape(pending.client_host)}</strong>"
    elif pending.client_name:
        client = f"A program that calls itself <q><bdi>{escape(pending.client_name)}</bdi></q>"
    else:
        client = "A program without a name"
    return (
        f"{client} asks to see your chats at {escape(urlsplit(portal).netloc)}, and to pin them for you. "
        f"You will be sent to <strong>{escape(redirect_uris.shown(AnyUrl(pending.redirect_uri)))}</strong>. "
        "Go on only if you have just asked for this yourself."
    )


def _page(said: str, sealed: str = "", status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    form = (
        f'<form method="post" action="{ROOT}/{sealed}">'
        '<button name="answer" value="yes">Sign in with Bitrix24</button>'
        '<button name="answer" value="no">Cancel</button></form>'
        if sealed
        else ""
    )
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Bitrix24 chats</title>"
        f"<style>{_STYLE}</style><h1>Bitrix24 chats</h1><p>{said}</p>{form}</html>",
        status,
        headers=_HEADERS,
    )


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, HTTPStatus.FOUND, headers=_HEADERS)
