"""What the pipeline's stages exchange: one attempt to send a request, and reasons to send it differently."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PortalError, RedirectedError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request

from .progress import Event


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One attempt to send a request.

    `time_left` returns the seconds until the last caller who waits for it gives up, `report` takes what
    happens to it. `batchable` is false after a batch has failed that would succeed as single requests.
    """

    request: Request[object]
    time_left: Callable[[], float]
    report: Callable[[Event], None]
    attempt: int = 1
    batchable: bool = True


Stage = Callable[[Outgoing], Awaitable[ApiResult]]
"""A stage: returns the portal's answer, or raises a PortalError or one of the reasons below."""


class RetryOutsideBatch(Exception):  # noqa: N818 - a reason for another attempt, not an error of its own
    """The request failed with `error` as a part of a batch, and may succeed by itself."""

    def __init__(self, error: PortalError) -> None:
        super().__init__(error.code)
        self.error = error


class Redirected(Exception):  # noqa: N818
    """The portal redirects to a new address, and the request may be sent there with `credentials`."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(credentials.portal)
        self.credentials = credentials
        self.error = RedirectedError(credentials.portal, transient=True)
