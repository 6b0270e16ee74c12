"""Puts a team's server together: the MCP endpoint behind its gate, and beside it what signs people in."""

import secrets
from collections.abc import Callable, Iterator

from mcp.server.auth.handlers.metadata import MetadataHandler
from mcp.server.auth.routes import (
    build_metadata,
    build_resource_metadata_url,
    cors_middleware,
    create_auth_routes,
    create_protected_resource_routes,
)
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions
from pydantic import AnyHttpUrl, TypeAdapter
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from bitrix24_chat_mcp.portal.auth import Credentials
from bitrix24_chat_mcp.portal.carrier import Carrier
from bitrix24_chat_mcp.portal.client import Line
from bitrix24_chat_mcp.portal.renewal import SignIns
from bitrix24_chat_mcp.settings import HttpSettings

from .clients import SCOPE, Clients
from .gate import Gate, Verify, guarded, one_token
from .grants import Grants
from .pages import Pages
from .provider import Provider
from .webhooks import WebhookVerifier

_METADATA = "/.well-known/oauth-authorization-server"
_DOCUMENT_BYTES = 64 * 1024
_REGISTRATION = ClientRegistrationOptions(enabled=True, valid_scopes=None, default_scopes=[SCOPE])
_REVOCATION = RevocationOptions(enabled=True)
_url = TypeAdapter(AnyHttpUrl, config={"url_preserve_empty_path": True}).validate_python


class House:
    """A server's way of knowing people: `open` puts it around the endpoint."""

    def __init__(
        self,
        http: HttpSettings,
        path: str,
        owner: Callable[[], Credentials],
        sign_ins: SignIns | None,
        line: Line,
        documents: Carrier | None = None,
    ) -> None:
        self._http = http
        self._origin = http.public_url or f"http://{http.host}:{http.port}"
        self._resource = self._origin + path
        self._owner = owner
        self._line = line
        self._sign_ins = sign_ins if "bitrix24" in http.auth else None
        self._documents = documents or Carrier(
            timeout=5.0, max_bytes=_DOCUMENT_BYTES, named=http.client_hosts
        )

    def open(self, endpoint: ASGIApp) -> tuple[ASGIApp, list[BaseRoute]]:
        """Return `endpoint` behind its gate, and the routes of signing in."""
        verifiers = list(self._one_token())
        metadata, routes = None, list[BaseRoute]()
        if self._sign_ins:
            provider = self._provider(self._sign_ins)
            verifiers.append(provider.verify_token)
            routes.extend(self._routes(provider, self._sign_ins))
            metadata = str(build_resource_metadata_url(_url(self._resource)))
        portals = self._http.portals if "webhook-header" in self._http.auth else ()
        gate = Gate(self._resource, verifiers, portals, WebhookVerifier(self._line))
        return guarded(endpoint, gate, metadata), routes

    def _one_token(self) -> Iterator[Verify]:
        token = self._http.bearer_token
        if token and "bearer" in self._http.auth:
            yield one_token(token.get_secret_value(), self._resource, self._owner)

    def _provider(self, sign_ins: SignIns) -> Provider:
        key = self._http.state_key
        grants = Grants(sign_ins.store, key.get_secret_value().encode() if key else secrets.token_bytes(32))
        clients = Clients(sign_ins.store, self._documents)
        return Provider(sign_ins, clients, grants, self._origin, self._resource)

    def _routes(self, provider: Provider, sign_ins: SignIns) -> Iterator[BaseRoute]:
        issuer = _url(self._origin)
        yield from Pages(provider, sign_ins, self._origin).routes()
        yield from create_protected_resource_routes(
            _url(self._resource), [issuer], scopes_supported=[SCOPE], resource_name="Bitrix24 chats"
        )
        served = create_auth_routes(
            provider, issuer, client_registration_options=_REGISTRATION, revocation_options=_REVOCATION
        )
        # The SDK's own document does not say that clients may be public, or documents.
        yield from (route for route in served if route.path != _METADATA)
        document = build_metadata(issuer, None, _REGISTRATION, _REVOCATION)
        document.token_endpoint_auth_methods_supported = ["none", "client_secret_post", "client_secret_basic"]
        document.client_id_metadata_document_supported = True
        document.authorization_response_iss_parameter_supported = True
        document.scopes_supported = [SCOPE]
        handler = cors_middleware(MetadataHandler(document).handle, ["GET", "OPTIONS"])
        yield Route(_METADATA, endpoint=handler, methods=["GET", "OPTIONS"])
