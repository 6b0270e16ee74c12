"""Who calls, over HTTP: what the gate has found out about a request, for those behind it."""

from collections.abc import Awaitable, Callable

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from pydantic import Field

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import NotAuthenticatedError


async def _admitted() -> bool:
    return True


CredentialProvider = Callable[[], Awaitable[Credentials]]
"""Gives the credentials of the user that is served, or raises a PortalError."""


def provider(credentials: Credentials) -> CredentialProvider:
    """Return a provider of credentials that are known already."""

    async def provide() -> Credentials:
        return credentials

    return provide


class CallerToken(AccessToken):
    """A caller who was let in.

    `who` gives their credentials at the portal, or raises; `still_admitted` asks the gate again, for
    requests that last.
    """

    token: str = Field(default="", repr=False)
    who: CredentialProvider = Field(exclude=True, repr=False)
    still_admitted: Callable[[], Awaitable[bool]] = Field(default=_admitted, exclude=True, repr=False)


def current_pass() -> CallerToken | None:
    """Return the caller of the request that is being answered; None where the server asks for nobody."""
    shown = get_access_token()
    return shown if isinstance(shown, CallerToken) else None


async def caller() -> Credentials:
    """Return the credentials of the caller of the request that is being answered, or raise."""
    if shown := current_pass():
        return await shown.who()
    raise NotAuthenticatedError(
        "NOT_SIGNED_IN", "The request does not say whose chats it is about.", "Sign in and try again."
    )
