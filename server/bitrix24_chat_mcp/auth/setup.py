"""Puts a team's server together: the MCP endpoint behind its gate, and beside it what signs people in."""

import secrets
from collections.abc import Iterator

from mcp.server.auth.routes import build_resource_metadata_url
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from bitrix24_chat_mcp.portal.api.client import Send
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.runtime.caller import CredentialProvider
from bitrix24_chat_mcp.settings.sections import HttpSettings

from .client_documents import ClientDocuments
from .clients import ClientRegistry
from .consent import ConsentPages
from .endpoints import Endpoints, url
from .grants import GrantStore
from .middleware import CallerAuthBackend, Verify, one_token, require_caller
from .one_time_marks import InProcessMarks, OneTimeMarks
from .pending import PendingAuthorizations
from .provider import Provider
from .sealing import Sealer
from .webhooks import WebhookVerifier

_DOCUMENT_BYTES = 64 * 1024


class House:
    """A server's way of knowing people: `open` puts it around the endpoint."""

    def __init__(
        self,
        http: HttpSettings,
        path: str,
        owner: CredentialProvider,
        sign_ins: TokenRefresher | None,
        line: Send,
        documents: HttpClient | None = None,
        marks: OneTimeMarks | None = None,
    ) -> None:
        self._http = http
        self._origin = http.public_url or f"http://{http.host}:{http.port}"
        self._resource = self._origin + path
        self._owner = owner
        self._line = line
        self._marks = marks or InProcessMarks()
        self._sign_ins = sign_ins if "bitrix24" in http.auth else None
        self._documents = documents or HttpClient(
            timeout=5.0, max_bytes=_DOCUMENT_BYTES, named=http.client_hosts
        )

    def open(self, endpoint: ASGIApp) -> tuple[ASGIApp, list[BaseRoute]]:
        """Return `endpoint` behind its gate, and the routes of signing in."""
        verifiers = list(self._one_token())
        metadata, routes = None, list[BaseRoute]()
        if self._sign_ins:
            provider, routes = self._authorization_server(self._sign_ins)
            verifiers.append(provider.verify_token)
            metadata = str(build_resource_metadata_url(url(self._resource)))
        portals = self._http.portals if "webhook-header" in self._http.auth else ()
        gate = CallerAuthBackend(self._resource, verifiers, portals, WebhookVerifier(self._line))
        return require_caller(endpoint, gate, metadata), routes

    def _one_token(self) -> Iterator[Verify]:
        token = self._http.bearer_token
        if token and "bearer" in self._http.auth:
            yield one_token(token.get_secret_value(), self._resource, self._owner)

    def _authorization_server(self, sign_ins: TokenRefresher) -> tuple[Provider, list[BaseRoute]]:
        ring = self._http.key_ring() or [secrets.token_bytes(32)]
        sealer, marks = Sealer(*ring), self._marks
        store = sign_ins.open_store()
        clients = ClientRegistry(store, sealer, ClientDocuments(self._documents))
        pending = PendingAuthorizations(sealer, marks)
        provider = Provider(
            sign_ins,
            clients,
            GrantStore(store, *ring),
            pending,
            marks,
            sealer,
            issuer=self._origin,
            resource=self._resource,
        )
        consent = ConsentPages(provider, pending, sign_ins, self._origin)
        endpoints = Endpoints(provider, clients, consent, origin=self._origin, resource=self._resource)
        return provider, [*consent.routes(), *endpoints.routes()]
