"""What the tools stand on while the server runs: a line to the portal, and whose it is."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from .callers import caller
from .config import Settings
from .portal.auth import Credentials, parse_webhook
from .portal.carrier import Carrier, in_process
from .portal.client import Line, Portal
from .portal.errors import UnusableRequestError
from .portal.renewal import SignIns
from .portal.rest import Answer, Request, decipher
from .portal.seen import Seen
from .portal.store import open_store

_MOST_SEEN = 500  # users whose titles are remembered


@dataclass(frozen=True, slots=True)
class Service:
    """The running server as its tools see it. `label` marks answers that are not a real portal's.

    `who` gives the credentials of whoever is being served, or raises.
    """

    line: Line
    who: Callable[[], Credentials]
    label: str = ""
    _seen: OrderedDict[Credentials, Seen] = field(default_factory=OrderedDict["Credentials", Seen])

    def portal(self) -> Portal:
        """Return the portal of the user who is being served; raise where nobody can tell."""
        return Portal(self.line, self.who())

    def seen(self, portal: Portal) -> Seen:
        """Return what this process has seen of the user's chats."""
        seen = self._seen.setdefault(portal.credentials, Seen())
        self._seen.move_to_end(portal.credentials)
        while len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return seen


@dataclass(frozen=True, slots=True)
class Entrance:
    """Whose chats a server shows, before anybody asks.

    `owner` gives the credentials that the settings name, or raises; `sign_ins` are None without an
    application.
    """

    carrier: Carrier
    owner: Callable[[], Credentials]
    sign_ins: SignIns | None = None


def open_entrance(settings: Settings, carrier: Carrier | None = None) -> Entrance:
    """Prepare it, without touching network or disk."""
    if settings.demo:
        carrier, credentials = _demo(carrier)
        return Entrance(carrier, lambda: credentials)
    carrier = carrier or Carrier(named=_named(settings))
    sign_ins = open_sign_ins(settings, carrier)
    if settings.webhook_url:
        webhook = parse_webhook(settings.webhook_url.get_secret_value())
        return Entrance(carrier, lambda: webhook, sign_ins)
    if sign_ins and settings.oauth.portal:
        key = settings.oauth.portal
        return Entrance(carrier, lambda: sign_ins.load(key), sign_ins)
    return Entrance(carrier, _nobody)


def open_sign_ins(settings: Settings, carrier: Carrier) -> SignIns | None:
    """Return the sign-ins of the application in the settings, if there is one."""
    application = settings.oauth.application()
    if application is None:
        return None
    again = (
        "Ask the user to connect to this server again in their assistant's settings, and to sign in."
        if "bitrix24" in settings.http.auth
        else "Ask the user to run `bitrix24-chat-mcp login` in a terminal and to sign in, then try again."
    )
    return SignIns(application, lambda: open_store(settings.oauth.store, sign_in_folder()), carrier, again)


def _named(settings: Settings) -> list[str] | None:
    """Return the hosts that the operator has named, or None where only the operator names any."""
    if settings.transport != "http" or not settings.http.auth:
        return None
    application = settings.oauth.application()
    addresses = [application.portal, application.server] if application else []
    if settings.webhook_url:
        addresses.append(parse_webhook(settings.webhook_url.get_secret_value()).portal)
    exact = [f"//{host}" for host in settings.http.portals if not host.startswith("*")]
    return [urlsplit(address).hostname or "" for address in (*addresses, *exact)]


def sign_in_folder() -> Path:
    """Return the folder in which sign-ins are kept, or take turns."""
    return platformdirs.user_data_path("bitrix24-chat-mcp", appauthor=False) / "sign-ins"


@asynccontextmanager
async def open_service(settings: Settings, entrance: Entrance) -> AsyncGenerator[Service]:
    """Make the service ready, without touching the network; close its connections in the end."""
    carrier, sign_ins = entrance.carrier, entrance.sign_ins

    async def line(request: Request) -> Answer:
        return decipher(await carrier.send(request))

    who = caller if settings.transport == "http" and settings.http.auth else entrance.owner
    try:
        yield Service(
            sign_ins.around(line) if sign_ins else line, who, "demo portal" if settings.demo else ""
        )
    finally:
        await carrier.aclose()


def _nobody() -> Credentials:
    raise UnusableRequestError(
        "NOT_CONFIGURED",
        "No Bitrix24 portal is configured for this server.",
        "Ask the user to set BITRIX24_WEBHOOK_URL (or webhook_url in the configuration file) to an "
        "incoming webhook with the scope im, or to start the server with --demo to try it out.",
    )


def _demo(carrier: Carrier | None) -> tuple[Carrier, Credentials]:
    from .demo import DemoPortal  # noqa: PLC0415 - only who wants the demo pays for it

    portal = DemoPortal()
    return carrier or Carrier(transport=in_process(portal)), parse_webhook(portal.webhook())
