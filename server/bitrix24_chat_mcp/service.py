"""What the tools stand on while the server runs: a line to the portal, and whose it is."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from .config import Settings
from .portal.auth import Credentials, parse_webhook
from .portal.carrier import Carrier, in_process
from .portal.client import Line, Portal
from .portal.errors import UnusableRequestError
from .portal.line import open_line
from .portal.seen import Seen

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The running server as its tools see it.

    `deadline` is how many seconds a call may take; `label` marks answers that are not a real portal's.
    """

    line: Line
    credentials: Credentials | None
    deadline: float
    label: str = ""
    _seen: dict[Credentials, Seen] = field(default_factory=dict["Credentials", Seen])

    def portal(self) -> Portal:
        """Return the user's portal; raise where none is configured."""
        if self.credentials is None:
            raise UnusableRequestError(
                "NOT_CONFIGURED",
                "No Bitrix24 portal is configured for this server.",
                "Ask the user to set BITRIX24_WEBHOOK_URL (or webhook_url in the configuration file) to an "
                "incoming webhook with the scope im, or to start the server with --demo to try it out.",
            )
        return Portal(self.line, self.credentials)

    def seen(self, portal: Portal) -> Seen:
        """Return what this process has seen of the user's chats."""
        return self._seen.setdefault(portal.credentials, Seen())


@asynccontextmanager
async def open_service(settings: Settings, carrier: Carrier | None = None) -> AsyncGenerator[Service]:
    """Make the service ready, without touching the network; close its connections in the end."""
    credentials: Credentials | None = None
    if settings.demo:
        carrier, credentials = _demo(carrier)
    elif settings.webhook_url:
        credentials = parse_webhook(settings.webhook_url.get_secret_value())
    limits = settings.limits
    carrier = carrier or Carrier(max_bytes=limits.max_answer_bytes)
    try:
        async with open_line(carrier, limits.of_line()) as line:
            yield Service(line, credentials, limits.deadline, "demo portal" if settings.demo else "")
    finally:
        await carrier.aclose()


def _demo(carrier: Carrier | None) -> tuple[Carrier, Credentials]:
    from .demo import DemoPortal  # noqa: PLC0415 - only who wants the demo pays for it

    portal = DemoPortal()
    return carrier or Carrier(transport=in_process(portal)), parse_webhook(portal.webhook())
