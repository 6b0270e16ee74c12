"""Builds authentication over HTTP: middleware around the MCP endpoint, and the sign-in routes beside it."""

import secrets

from mcp.server.auth.routes import build_resource_metadata_url
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from bitrix24_chat_mcp.portal.api.client import Send
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.runtime.portal_access import PortalAccess
from bitrix24_chat_mcp.settings.sections import HttpSettings

from .client_documents import ClientDocuments
from .clients import ClientRegistry
from .consent import ConsentPages
from .endpoints import Endpoints, url
from .grants import GrantStore
from .middleware import CallerAuthBackend, Verify, one_token, require_caller
from .one_time_marks import InProcessMarks
from .pending import PendingAuthorizations
from .provider import Provider
from .webhooks import WebhookVerifier

_DOCUMENT_BYTES = 64 * 1024


def protect(
    endpoint: ASGIApp,
    http: HttpSettings,
    path: str,
    access: PortalAccess,
    send: Send,
    documents: HttpClient | None = None,
) -> tuple[ASGIApp, list[BaseRoute]]:
    """Return the MCP endpoint behind authentication, and the routes of signing in.

    `path` is the endpoint's; `send` asks the portal; `documents` takes the place of the network for
    clients' metadata documents. Raises a PortalError if the token store cannot be opened.
    """
    origin = http.public_url or f"http://{http.host}:{http.port}"
    resource, metadata = origin + path, None
    verifiers, routes = list[Verify](), list[BaseRoute]()
    if http.bearer_token and "bearer" in http.auth:
        verifiers.append(one_token(http.bearer_token.get_secret_value(), resource, access.credentials))
    if access.token_refresher and "bitrix24" in http.auth:
        fetcher = documents or HttpClient(timeout=5.0, max_bytes=_DOCUMENT_BYTES, named=http.client_hosts)
        provider, routes = _authorization_server(
            http, access, access.token_refresher, fetcher, origin, resource
        )
        verifiers.append(provider.load_access_token)
        metadata = str(build_resource_metadata_url(url(resource)))
    portals = http.portals if "webhook-header" in http.auth else ()
    webhooks = WebhookVerifier(send, access.shared and access.shared.refusals("webhook"))
    backend = CallerAuthBackend(resource, verifiers, portals, webhooks)
    return require_caller(endpoint, backend, metadata), routes


def _authorization_server(
    http: HttpSettings,
    access: PortalAccess,
    refresher: TokenRefresher,
    fetcher: HttpClient,
    origin: str,
    resource: str,
) -> tuple[Provider, list[BaseRoute]]:
    ring = http.key_ring() or [secrets.token_bytes(32)]
    shared = access.shared
    marks = (shared and shared.marks) or InProcessMarks()
    store, sealer = refresher.open_store(), Sealer(*ring)
    clients = ClientRegistry(store, sealer, ClientDocuments(fetcher))
    pending, grants = PendingAuthorizations(sealer, marks), GrantStore(store, *ring)
    provider = Provider(refresher, clients, grants, pending, issuer=origin, resource=resource)
    refusals = shared and shared.refusals("sign-in")
    consent = ConsentPages(pending, refresher, origin, access.tools, refusals)
    endpoints = Endpoints(provider, clients, consent, origin=origin, resource=resource)
    return provider, [*consent.routes(), *endpoints.routes()]
