"""Who calls, over HTTP: what the gate has found out about a request, for those behind it."""

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from pydantic import ConfigDict, Field, SkipValidation

from .portal.auth import Credentials
from .portal.errors import UnusableRequestError


class Pass(AccessToken):
    """A caller who was let in. `credentials` are theirs at the portal, and travel no further than this."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    token: str = Field(default="", repr=False)
    credentials: SkipValidation[Credentials] = Field(exclude=True, repr=False)


def caller() -> Credentials:
    """Return the credentials of whoever made the request that is being answered, or raise."""
    shown = get_access_token()
    if isinstance(shown, Pass):
        return shown.credentials
    raise UnusableRequestError(
        "NOT_SIGNED_IN", "The request does not say whose chats it is about.", "Sign in and try again."
    )
