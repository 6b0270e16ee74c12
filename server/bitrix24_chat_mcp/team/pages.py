"""The pages of a sign-in: who asks to see your chats, and the way back from the portal.

Bitrix24 lets an application in without asking once it is installed, so the first page is where a person
learns which program will see the chats. Both pages belong to one browser: nobody can begin a sign-in and
let somebody else finish it.
"""

from html import escape
from http import HTTPStatus
from urllib.parse import urlsplit

from mcp.server.auth.provider import construct_redirect_uri
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bitrix24_chat_mcp.answers.clean import clean
from bitrix24_chat_mcp.answers.failure import describe
from bitrix24_chat_mcp.portal.errors import PortalError
from bitrix24_chat_mcp.portal.renewal import SignIns

from .provider import PATIENCE, Provider
from .visits import Visit

ROOT = "/sign-in"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1.2rem;margin-right:.5rem}"
)
_LOST = (
    "This sign-in has ended, or was begun in another browser. Go back to your assistant and connect again."
)


class Pages:
    """The routes of a sign-in. `origin` is the server's own address."""

    def __init__(self, provider: Provider, sign_ins: SignIns, origin: str) -> None:
        self._provider = provider
        self._sign_ins = sign_ins
        self._origin = origin
        self._back = f"{origin}{ROOT}/back"

    def routes(self) -> list[Route]:
        """Return the routes, the way back first: it looks like a visit."""
        return [
            Route(f"{ROOT}/back", self.come_back, methods=["GET"]),
            Route(f"{ROOT}/{{visit}}", self.ask, methods=["GET"]),
            Route(f"{ROOT}/{{visit}}", self.answer, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """Show who wants to see the chats; the browser that sees this first must be the one that answers."""
        visit = self._provider.visits.get(request.path_params["visit"])
        if visit is None or (visit.browser and not self._is_by(visit, request)):
            return _page(_LOST, status=HTTPStatus.BAD_REQUEST)
        page = _page(_question(visit, self._sign_ins.application.portal), visit.id)
        page.set_cookie(
            _cookie(visit),
            visit.browser or visit.greet(),
            max_age=int(PATIENCE),
            path=ROOT,
            secure=self._origin.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
        return page

    async def answer(self, request: Request) -> Response:
        """Send the browser to the portal, or back to the client with a no."""
        visit = self._provider.visits.get(request.path_params["visit"])
        if visit is None or not self._is_by(visit, request):
            return _page(_LOST, status=HTTPStatus.BAD_REQUEST)
        self._provider.visits.take(visit.id)
        if (await request.form()).get("answer") != "yes":
            return self._return(visit, error="access_denied")
        self._provider.returns.put(visit.state, visit)
        return _redirect(self._sign_ins.application.page(visit.state, self._back))

    async def come_back(self, request: Request) -> Response:
        """Exchange the portal's code, keep the pair, and send the browser to the client."""
        asked = request.query_params
        visit = self._provider.returns.get(asked.get("state", ""))
        if visit is None or not self._is_by(visit, request):
            return _page(_LOST, status=HTTPStatus.BAD_REQUEST)
        self._provider.returns.take(visit.state)
        if not asked.get("code"):
            return self._return(visit, error="access_denied")
        try:
            pair = await self._sign_ins.exchange(asked["code"], self._back)
            who = await self._sign_ins.keep(f"{pair.portal}#{pair.user}", pair)
        except PortalError as error:
            return self._return(visit, error="access_denied", error_description=describe(error))
        return self._return(visit, code=self._provider.welcome(visit, who.key))

    def _return(self, visit: Visit, **answer: str) -> Response:
        params = visit.params
        back = construct_redirect_uri(
            str(params.redirect_uri), **answer, state=params.state, iss=self._origin
        )
        response = _redirect(back)
        response.delete_cookie(_cookie(visit), path=ROOT)
        return response

    def _is_by(self, visit: Visit, request: Request) -> bool:
        return visit.is_by(request.cookies.get(_cookie(visit)))


def _question(visit: Visit, portal: str) -> str:
    target = urlsplit(str(visit.params.redirect_uri))
    return (
        f"<strong>{escape(clean(visit.client.shown))}</strong> asks to see your chats at "
        f"{escape(urlsplit(portal).netloc)}, and to pin them for you. You will be sent to "
        f"<strong>{escape(target.netloc or target.scheme)}</strong>. Go on only if you have just "
        "asked for this yourself."
    )


def _page(said: str, visit: str = "", status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    form = (
        f'<form method="post" action="{ROOT}/{visit}">'
        '<button name="answer" value="yes">Sign in with Bitrix24</button>'
        '<button name="answer" value="no">Cancel</button></form>'
        if visit
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


def _cookie(visit: Visit) -> str:
    return f"visit-{visit.id[:16]}"
