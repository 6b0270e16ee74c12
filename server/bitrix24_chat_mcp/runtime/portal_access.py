"""How a server reaches the portal, as far as the settings decide it."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import platformdirs

from bitrix24_chat_mcp.portal.api.credentials import Credentials, parse_webhook
from bitrix24_chat_mcp.portal.api.errors import ConfigurationError
from bitrix24_chat_mcp.portal.oauth.local_store import open_token_store
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.portal.oauth.token_store import TokenStore
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings

from .caller import CredentialProvider, provider

if TYPE_CHECKING:
    from .shared_state import SharedState


@dataclass(frozen=True, slots=True)
class PortalAccess:
    """The settings turned into objects; nothing is opened, and nothing here changes while a server runs.

    `credentials` gives those that the settings name, or raises; `token_refresher` is None without an
    application; `tools` names those that the operator allows; `shared` is None where this server shares
    nothing with others. What a running server makes of it is AppContext.
    """

    http_client: HttpClient
    credentials: CredentialProvider
    token_refresher: TokenRefresher | None = None
    tools: frozenset[str] = frozenset()
    shared: "SharedState | None" = None


def open_portal_access(settings: Settings, http_client: HttpClient | None = None) -> PortalAccess:
    """Read the settings, without touching network or disk. `http_client` replaces the one to the network."""
    if settings.demo:
        http_client, credentials = _demo(http_client)
        return PortalAccess(http_client, provider(credentials))
    client = http_client or HttpClient(max_bytes=settings.limits.max_answer_bytes, named=_named(settings))
    shared = open_shared_state(settings)
    refresher = open_token_refresher(settings, client, shared)
    access = PortalAccess(client, _not_configured, refresher, settings.tools, shared)
    if settings.webhook_url:
        webhook = parse_webhook(settings.webhook_url.get_secret_value())
        return replace(access, credentials=provider(webhook))
    if refresher and settings.oauth.portal:
        return replace(access, credentials=partial(refresher.load, settings.oauth.portal))
    return access


def open_shared_state(settings: Settings) -> "SharedState | None":
    """Return what this server shares with others, None where `shared.url` is not set."""
    if not settings.shared.url or settings.demo:
        return None
    from .shared_state import connect  # noqa: PLC0415 - only servers that share state need it

    return connect(settings, settings.shared.url.get_secret_value())


def open_token_refresher(
    settings: Settings, http_client: HttpClient, shared: "SharedState | None" = None
) -> TokenRefresher | None:
    """Return what keeps the tokens of the application in the settings fresh; None without an application."""
    application = settings.oauth.application()
    if application is None:
        return None
    sign_in_again = (
        "Ask the user to connect to this server again in their assistant's settings, and to sign in."
        if "bitrix24" in settings.http.auth
        else "Ask the user to run `bitrix24-chat-mcp login` in a terminal and to sign in, then try again."
    )

    def open_store() -> TokenStore:
        tokens = shared.tokens if shared else None
        return tokens or open_token_store(settings.oauth.store, token_folder())

    return TokenRefresher(application, open_store, http_client, sign_in_again)


def _named(settings: Settings) -> list[str] | None:
    """Return the hosts that the operator has named, or None where callers name none."""
    if settings.transport != "http" or not settings.http.auth:
        return None
    application = settings.oauth.application()
    addresses = [application.portal, application.server] if application else []
    if settings.webhook_url:
        addresses.append(parse_webhook(settings.webhook_url.get_secret_value()).portal)
    exact = [f"//{host}" for host in settings.http.portals if not host.startswith("*")]
    return [urlsplit(address).hostname or "" for address in (*addresses, *exact)]


def token_folder() -> Path:
    """Return the folder for stored tokens and lock files."""
    return platformdirs.user_data_path("bitrix24-chat-mcp", appauthor=False) / "sign-ins"


async def _not_configured() -> Credentials:
    raise ConfigurationError(
        "NOT_CONFIGURED",
        "No Bitrix24 portal is configured for this server.",
        "Ask the user to set BITRIX24_WEBHOOK_URL (or webhook_url in the configuration file) to an "
        "incoming webhook with the scope im, or to start the server with --demo to try it out.",
    )


def _demo(http_client: HttpClient | None) -> tuple[HttpClient, Credentials]:
    from bitrix24_demo_portal import DemoPortal  # noqa: PLC0415 - only the demo needs it

    portal = DemoPortal()
    return http_client or HttpClient(transport=in_process(portal)), parse_webhook(portal.webhook())
