"""The consent page, and the way back from the portal.

Bitrix24 authorizes an installed application without asking the user, so the consent page is where the user
learns which program will see the chats. A cookie binds an authorization to the browser that began it, so a
sign-in that one person begins cannot be finished by another. The cookie is `SameSite=Lax` and the page's
address is sealed and known to that browser alone, so no other site can send the form.
"""

from http import HTTPStatus

from mcp.server.transport_security import RequestBodyLimitMiddleware
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bitrix24_chat_mcp.answers.text import describe
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher

from . import pages, redirect_uris
from .attempts import AttemptLimiter, Refusals
from .pages import ConsentRequest
from .pending import LIFE, PendingAuthorization, PendingAuthorizations, SignInStage

ROOT = "/sign-in"
MOST_BODY_BYTES = 64 * 1024
"""Largest body that a page or an endpoint reads."""
_MOST_CODE = 1024
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class ConsentPages:
    """The routes of a sign-in. `origin` is the server's own address, `tools` what programs may call."""

    def __init__(
        self,
        pending: PendingAuthorizations,
        refresher: TokenRefresher,
        origin: str,
        tools: frozenset[str],
        refusals: Refusals | None = None,
    ) -> None:
        self._pending = pending
        self._tools = tools
        self._refresher = refresher
        self._origin = origin
        self._back = f"{origin}{ROOT}/back"
        self._limiter = AttemptLimiter(
            refused="Bitrix24 has refused too many sign-ins from this address.",
            late="Bitrix24 has not confirmed this sign-in in time.",
            everywhere=refusals,
        )
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
        """Set the cookie if a response redirects to the consent page; return whether it does."""
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
        """Show which client wants to see the chats."""
        sealed = request.path_params["sealed"]
        pending = await self._open("consent", sealed, request)
        if pending is None:
            return _ended(request)
        asked = ConsentRequest(
            pending.client_host,
            pending.client_name,
            self._refresher.application.portal,
            pending.redirect_uri,
            action=f"{ROOT}/{sealed}",
            tools=self._tools,
        )
        return HTMLResponse(pages.consent(asked, _language(request)), headers=_headers())

    async def answer(self, request: Request) -> Response:
        """Redirect to the portal, or to the client with `access_denied`."""
        pending = await self._open("consent", request.path_params["sealed"], request)
        if pending is None:
            return _ended(request)
        if (await request.form(max_files=0)).get("answer") != "yes":
            return await self._return(pending, error="access_denied")
        state = self._pending.seal("return", pending)
        return _redirect(self._refresher.application.authorization_url(state, self._back))

    async def come_back(self, request: Request) -> Response:
        """Exchange the portal's code, store the tokens, and redirect to the client with its own code."""
        params = request.query_params
        pending = await self._open("return", params.get("state", ""), request)
        if pending is None:
            return _ended(request)
        code = params.get("code", "")
        if not 1 <= len(code) <= _MOST_CODE:
            return await self._return(pending, error="access_denied")
        if not await self._pending.finish("return", pending):
            return _ended(request)
        try:
            async with self._limiter.attempt(request.client.host if request.client else ""):
                pair = await self._refresher.exchange_code(code, self._back)
            credentials = await self._refresher.sign_in(f"{pair.portal}#{pair.user}", pair)
        except PortalError as error:
            return await self._return(pending, error="access_denied", error_description=describe(error))
        return await self._return(pending, code=self._pending.issue_code(pending, credentials.key))

    async def _open(self, stage: SignInStage, sealed: str, request: Request) -> PendingAuthorization | None:
        """Return the authorization, if this browser has begun it."""
        pending = await self._pending.open(stage, sealed)
        if pending is None or not self._pending.is_by(pending, request.cookies.get(self._cookie(pending))):
            return None
        return pending

    async def _return(self, pending: PendingAuthorization, **answer: str) -> Response:
        await self._pending.finish("return", pending)
        params = {**answer, "state": pending.state, "iss": self._origin}
        response = _redirect(redirect_uris.with_answer(pending.redirect_uri, params))
        response.delete_cookie(self._cookie(pending), secure=self._secure, httponly=True, samesite="lax")
        return response

    def _cookie(self, pending: PendingAuthorization) -> str:
        """Return the cookie's name. With `__Host-` no other host of the domain can set it."""
        return f"{'__Host-' if self._secure else ''}sign-in-{pending.id[:16]}"


def _headers() -> dict[str, str]:
    return {**_HEADERS, "Content-Security-Policy": pages.policy()}


def _ended(request: Request) -> HTMLResponse:
    page = pages.notice("ended", _language(request))
    return HTMLResponse(page, HTTPStatus.BAD_REQUEST, headers=_headers())


def _language(request: Request) -> str:
    return request.headers.get("accept-language", "")


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, HTTPStatus.FOUND, headers=_headers())
