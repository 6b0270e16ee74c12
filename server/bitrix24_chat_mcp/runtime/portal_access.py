"""Whose chats a server shows: what the settings say of it, before anybody asks."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import platformdirs

from bitrix24_chat_mcp.portal.api.credentials import Credentials, parse_webhook
from bitrix24_chat_mcp.portal.api.errors import ConfigurationError
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.portal.oauth.token_store import TokenStore, open_token_store
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings

from .caller import CredentialProvider, provider

if TYPE_CHECKING:
    from .shared_state import SharedState


@dataclass(frozen=True, slots=True)
class PortalAccess:
    """Whose chats a server shows, before anybody asks.

    `owner` gives the credentials that the settings name, or raises; `sign_ins` are None without an
    application, `shared` is None where this server shares nothing with others.
    """

    carrier: HttpClient
    owner: CredentialProvider
    sign_ins: TokenRefresher | None = None
    shared: "SharedState | None" = None


def open_portal_access(settings: Settings, carrier: HttpClient | None = None) -> PortalAccess:
    """Prepare it, without touching network or disk."""
    if settings.demo:
        carrier, credentials = _demo(carrier)
        return PortalAccess(carrier, provider(credentials))
    carrier = carrier or HttpClient(max_bytes=settings.limits.max_answer_bytes, named=_named(settings))
    shared = open_shared_state(settings)
    sign_ins = open_token_refresher(settings, carrier, shared)
    if settings.webhook_url:
        webhook = parse_webhook(settings.webhook_url.get_secret_value())
        return PortalAccess(carrier, provider(webhook), sign_ins, shared)
    if sign_ins and settings.oauth.portal:
        key = settings.oauth.portal
        return PortalAccess(carrier, lambda: sign_ins.load(key), sign_ins, shared)
    return PortalAccess(carrier, _nobody, shared=shared)


def open_shared_state(settings: Settings) -> "SharedState | None":
    """Return what this server shares with others, None where `shared.url` is not set."""
    if not settings.shared.url or settings.demo:
        return None
    from .shared_state import connect  # noqa: PLC0415 - only servers that share state need it

    return connect(settings, settings.shared.url.get_secret_value())


def open_token_refresher(
    settings: Settings, carrier: HttpClient, shared: "SharedState | None" = None
) -> TokenRefresher | None:
    """Return the sign-ins of the application in the settings, if there is one."""
    application = settings.oauth.application()
    if application is None:
        return None
    again = (
        "Ask the user to connect to this server again in their assistant's settings, and to sign in."
        if "bitrix24" in settings.http.auth
        else "Ask the user to run `bitrix24-chat-mcp login` in a terminal and to sign in, then try again."
    )

    def open_store() -> TokenStore:
        tokens = shared.tokens if shared else None
        return tokens or open_token_store(settings.oauth.store, token_folder())

    return TokenRefresher(application, open_store, carrier, again)


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


def token_folder() -> Path:
    """Return the folder in which sign-ins are kept, or take turns."""
    return platformdirs.user_data_path("bitrix24-chat-mcp", appauthor=False) / "sign-ins"


async def _nobody() -> Credentials:
    raise ConfigurationError(
        "NOT_CONFIGURED",
        "No Bitrix24 portal is configured for this server.",
        "Ask the user to set BITRIX24_WEBHOOK_URL (or webhook_url in the configuration file) to an "
        "incoming webhook with the scope im, or to start the server with --demo to try it out.",
    )


def _demo(carrier: HttpClient | None) -> tuple[HttpClient, Credentials]:
    from bitrix24_demo_portal import DemoPortal  # noqa: PLC0415 - only who wants the demo pays for it

    portal = DemoPortal()
    return carrier or HttpClient(transport=in_process(portal)), parse_webhook(portal.webhook())
