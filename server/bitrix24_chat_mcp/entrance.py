"""Whose chats a server shows: what the settings say of it, before anybody asks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from .config import Settings
from .portal.auth import Credentials, parse_webhook
from .portal.carrier import Carrier, in_process
from .portal.errors import UnusableRequestError
from .portal.renewal import SignIns
from .portal.store import open_store


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
    carrier = carrier or Carrier(max_bytes=settings.limits.max_answer_bytes, named=_named(settings))
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


def _nobody() -> Credentials:
    raise UnusableRequestError(
        "NOT_CONFIGURED",
        "No Bitrix24 portal is configured for this server.",
        "Ask the user to set BITRIX24_WEBHOOK_URL (or webhook_url in the configuration file) to an "
        "incoming webhook with the scope im, or to start the server with --demo to try it out.",
    )


def _demo(carrier: Carrier | None) -> tuple[Carrier, Credentials]:
    from bitrix24_demo_portal import DemoPortal  # noqa: PLC0415 - only who wants the demo pays for it

    portal = DemoPortal()
    return carrier or Carrier(transport=in_process(portal)), parse_webhook(portal.webhook())
