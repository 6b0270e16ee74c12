"""The caller of the request that is being answered over HTTP, as the authentication middleware found it."""

from collections.abc import Awaitable, Callable

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from pydantic import Field

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import NotAuthenticatedError

EVERY = 30.0
"""Seconds between two authentications of a request that lasts."""


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
    """An authenticated caller.

    `who` gives the caller's credentials at the portal, or raises; `still_admitted` authenticates again, for
    requests that last.
    """

    token: str = Field(default="", repr=False)
    who: CredentialProvider = Field(exclude=True, repr=False)
    still_admitted: Callable[[], Awaitable[bool]] = Field(default=_admitted, exclude=True, repr=False)


def current_caller() -> CallerToken | None:
    """Return the caller of the request that is being answered; None where nothing authenticates callers."""
    token = get_access_token()
    return token if isinstance(token, CallerToken) else None


async def caller_credentials() -> Credentials:
    """Return the credentials of the caller of the request that is being answered, or raise."""
    if token := current_caller():
        return await token.who()
    raise NotAuthenticatedError(
        "NOT_SIGNED_IN", "The request does not say whose chats it is about.", "Sign in and try again."
    )
