"""Authenticates each request over HTTP, and answers 401 to those without valid credentials.

The settings allow some of three kinds: an access token that this server has issued, the caller's own
webhook in a header, and the one bearer token of a server that belongs to one user.
"""

import asyncio
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
from starlette.types import ASGIApp, Receive, Scope, Send

from bitrix24_chat_mcp.answers.text import describe
from bitrix24_chat_mcp.portal.api.credentials import Webhook, is_listed, parse_webhook
from bitrix24_chat_mcp.portal.api.errors import ApiError, PortalError, StoreUnreachableError
from bitrix24_chat_mcp.runtime.caller import (
    EVERY,
    CallerToken,
    CredentialProvider,
    current_caller,
    provider,
)

from .clients import SCOPE
from .webhooks import WebhookVerifier

HEADER = "X-Bitrix24-Webhook"
_LONGEST_WEBHOOK = 500
Verify = Callable[[str], Awaitable[AccessToken | None]]
Admitted = tuple[AuthCredentials, AuthenticatedUser]


class CallerAuthBackend(AuthenticationBackend):
    """Reads a request's credentials. `portals` are those whose webhooks are accepted; none: no webhooks."""

    def __init__(
        self, resource: str, verifiers: Sequence[Verify], portals: Collection[str], webhooks: WebhookVerifier
    ) -> None:
        self._verifiers = verifiers
        self._portals = portals
        self._webhooks = webhooks
        self._bearers = BearerAuthBackend(self, resource_server_url=AnyHttpUrl(resource))

    async def authenticate(self, conn: HTTPConnection) -> Admitted | None:
        """Return the caller, or None without credentials."""
        webhook = conn.headers.get(HEADER)
        if webhook and self._portals:
            return await self._by_webhook(webhook, conn.client.host if conn.client else "")
        return await self._bearers.authenticate(conn)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the caller of a bearer token, by the first verifier that knows it."""
        for verify in self._verifiers:
            if found := await verify(token):
                return found.model_copy(update={"still_admitted": lambda: self._admits(token)})
        return None

    async def _admits(self, token: str) -> bool:
        try:
            return await self.verify_token(token) is not None
        except StoreUnreachableError:
            return True  # nobody is signed out by that

    async def _by_webhook(self, header: str, address: str) -> Admitted:
        webhook = self._read(header)
        try:
            await self._webhooks.verify(webhook, address)
        except PortalError as error:
            raise _NotConfirmedError(error) from None

        async def still_admitted() -> bool:
            try:
                await self._webhooks.verify(webhook, address)
            except PortalError as error:
                return not _is_final(error)
            return True

        # Named by a digest of the webhook: sessions and sealed values belong to those who hold it.
        caller = CallerToken(
            client_id=f"webhook:{webhook.signing_key().hex()}",
            scopes=[SCOPE],
            subject=f"{webhook.portal}#{webhook.user}",
            who=provider(webhook),
            still_admitted=still_admitted,
        )
        return AuthCredentials(caller.scopes), AuthenticatedUser(caller)

    def _read(self, header: str) -> Webhook:
        if len(header) > _LONGEST_WEBHOOK:
            raise AuthenticationError(f"{HEADER}: it is longer than {_LONGEST_WEBHOOK} characters")
        try:
            webhook = parse_webhook(header)
        except ValueError as error:
            raise AuthenticationError(f"{HEADER}: {error}") from None
        if not is_listed(urlsplit(webhook.portal).netloc, self._portals):
            raise AuthenticationError(f"{HEADER}: this server is not for that portal")
        return webhook


class _NotConfirmedError(AuthenticationError):
    """The portal has not confirmed a webhook. `final` tells that asking again will not help."""

    def __init__(self, error: PortalError) -> None:
        super().__init__(f"{HEADER}: {describe(error)}")
        self.final = _is_final(error)


def _is_final(error: PortalError) -> bool:
    return isinstance(error, ApiError) and not error.transient


def require_caller(app: ASGIApp, backend: CallerAuthBackend, metadata: str | None) -> ASGIApp:
    """Wrap an application so that only requests with credentials reach it.

    `metadata` is the address at which a client without credentials learns how to get some.
    """
    admitted = _LastingRequests(app)
    required = RequireAuthMiddleware(admitted, [SCOPE], AnyHttpUrl(metadata) if metadata else None)
    return AuthenticationMiddleware(AuthContextMiddleware(required), backend=backend, on_error=_refuse)


class _LastingRequests:
    """Ends the streams that a session's client listens to (GET) when the caller's access is gone.

    Other requests end by their deadline; `subscriptions/listen` tells its client why it ends, and does so
    itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        caller = current_caller()
        if scope["type"] != "http" or scope["method"] != "GET" or caller is None:
            return await self._app(scope, receive, send)
        serving = asyncio.ensure_future(self._app(scope, receive, send))
        try:
            while not (await asyncio.wait([serving], timeout=EVERY))[0]:
                if not await caller.still_admitted():
                    serving.cancel()
                    await asyncio.wait([serving])
                    await send({"type": "http.response.body"})
                    return None
            return await serving
        finally:
            serving.cancel()


def one_token(secret: str, resource: str, owner: CredentialProvider) -> Verify:
    """Return the verifier of the one bearer token of a server that belongs to one user."""

    async def verify(token: str) -> AccessToken | None:
        if not hmac.compare_digest(token.encode(), secret.encode()):
            return None
        return CallerToken(client_id="bearer", scopes=[SCOPE], resource=resource, subject="owner", who=owner)

    return verify


def _refuse(_: HTTPConnection, error: AuthenticationError) -> Response:
    if isinstance(error, _NotConfirmedError) and not error.final:
        body = {"error": "temporarily_unavailable", "error_description": str(error)}
        return JSONResponse(body, 503, headers={"Retry-After": "60"})
    body = {"error": "invalid_token", "error_description": str(error)}
    return JSONResponse(body, 401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
