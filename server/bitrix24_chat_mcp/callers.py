"""Who calls, over HTTP: what the gate has found out about a request, for those behind it."""

from collections.abc import Callable

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from pydantic import Field

from .portal.auth import Credentials
from .portal.errors import UnusableRequestError


class Pass(AccessToken):
    """A caller who was let in. `who` gives their credentials at the portal, or raises."""

    token: str = Field(default="", repr=False)
    who: Callable[[], Credentials] = Field(exclude=True, repr=False)


def caller() -> Credentials:
    """Return the credentials of whoever made the request that is being answered, or raise."""
    shown = get_access_token()
    if isinstance(shown, Pass):
        return shown.who()
    raise UnusableRequestError(
        "NOT_SIGNED_IN", "The request does not say whose chats it is about.", "Sign in and try again."
    )
