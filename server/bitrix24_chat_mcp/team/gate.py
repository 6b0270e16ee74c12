"""The gate: finds out whose a request is, and lets nobody in who does not show it.

Three ways, of which the settings choose: a token of ours that a sign-in gave, a webhook of the caller's
own in a header, and the one token of a server that is one user's own.
"""

import hmac
from collections.abc import Awaitable, Callable, Collection, Sequence
from urllib.parse import urlsplit

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import (
    AuthenticatedUser,
    BearerAuthBackend,
    RequireAuthMiddleware,
)
from mcp.server.auth.provider import AccessToken
from pydantic import AnyHttpUrl
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from bitrix24_chat_mcp.callers import Pass
from bitrix24_chat_mcp.portal.auth import Credentials, Webhook, is_listed, parse_webhook

from .clients import SCOPE

HEADER = "X-Bitrix24-Webhook"
Verify = Callable[[str], Awaitable[AccessToken | None]]
Admitted = tuple[AuthCredentials, AuthenticatedUser]


class Gate(AuthenticationBackend):
    """Reads a request's credentials. `portals` are those that webhooks may be of, none for no webhooks."""

    def __init__(self, resource: str, verifiers: Sequence[Verify], portals: Collection[str]) -> None:
        self._verifiers = verifiers
        self._portals = portals
        self._bearers = BearerAuthBackend(self, resource_server_url=AnyHttpUrl(resource))

    async def authenticate(self, conn: HTTPConnection) -> Admitted | None:
        """Return who calls, or None for nobody."""
        webhook = conn.headers.get(HEADER)
        if webhook and self._portals:
            return self._by_webhook(webhook)
        return await self._bearers.authenticate(conn)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Ask each verifier for the pass of a bearer token."""
        for verify in self._verifiers:
            if found := await verify(token):
                return found
        return None

    def _by_webhook(self, address: str) -> Admitted:
        try:
            webhook = parse_webhook(address)
        except ValueError as error:
            raise AuthenticationError(f"{HEADER}: {error}") from None
        if not is_listed(urlsplit(webhook.portal).netloc, self._portals):
            raise AuthenticationError(f"{HEADER}: this server is not for that portal")
        shown = Pass(client_id="webhook", scopes=[SCOPE], subject=_name(webhook), who=lambda: webhook)
        return AuthCredentials(shown.scopes), AuthenticatedUser(shown)


def guarded(app: ASGIApp, gate: Gate, metadata: str | None) -> ASGIApp:
    """Wrap an application so that only requests with credentials reach it.

    `metadata` is where a client that has none learns how to get some.
    """
    required = RequireAuthMiddleware(app, [SCOPE], AnyHttpUrl(metadata) if metadata else None)
    return AuthenticationMiddleware(AuthContextMiddleware(required), backend=gate, on_error=_refuse)


def one_token(secret: str, resource: str, owner: Callable[[], Credentials]) -> Verify:
    """Verify the one token of a server that is its owner's own."""

    async def verify(token: str) -> AccessToken | None:
        if not hmac.compare_digest(token.encode(), secret.encode()):
            return None
        return Pass(client_id="bearer", scopes=[SCOPE], resource=resource, subject="owner", who=owner)

    return verify


def _name(webhook: Webhook) -> str:
    """Name a webhook's user for sessions and sealed values, by something that only its owner can show."""
    return f"{webhook.portal}#{webhook.user}#{webhook.seal().hex()}"


def _refuse(_: HTTPConnection, error: AuthenticationError) -> Response:
    body = {"error": "invalid_token", "error_description": str(error)}
    return JSONResponse(body, 401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
