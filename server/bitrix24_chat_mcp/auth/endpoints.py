"""The endpoints of the authorization server: the SDK's handlers, with bounds and what the RFCs add.

Added to the SDK: bounded bodies and parameters, `iss` in error redirects (RFC 9207), `resource` at the token
endpoint (RFC 8707), revocation for clients without a secret (RFC 7009), metadata that says all this.
"""

from collections.abc import Iterator, Mapping

import anyio
from mcp.server.auth.handlers.authorize import AuthorizationHandler
from mcp.server.auth.handlers.metadata import MetadataHandler
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import AuthenticationError, ClientAuthenticator
from mcp.server.auth.routes import build_metadata, create_protected_resource_routes
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions
from mcp.server.transport_security import RequestBodyLimitMiddleware
from mcp.shared.auth import OAuthMetadata
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from pydantic import AnyHttpUrl, TypeAdapter
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .clients import MOST_CHARACTERS, SCOPE, ClientRegistry
from .consent import MOST_BODY_BYTES, ConsentPages
from .provider import Provider
from .redirect_uris import MOST_CHARACTERS as MOST_REDIRECT
from .redirect_uris import with_answer

LONGEST = {
    "client_id": MOST_CHARACTERS,
    "redirect_uri": MOST_REDIRECT,
    "response_type": 64,
    "code_challenge": 128,
    "code_challenge_method": 64,
    "state": 2048,
    "scope": 1024,
    "resource": 2048,
}
"""Longest parameters of an authorization request, in characters."""
_METADATA = "/.well-known/oauth-authorization-server"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_METHODS = ["none", "client_secret_post", "client_secret_basic"]
_REGISTRATION = ClientRegistrationOptions(enabled=True, valid_scopes=None, default_scopes=[SCOPE])
url = TypeAdapter(AnyHttpUrl, config={"url_preserve_empty_path": True}).validate_python


class Endpoints:
    """The routes that clients meet. `origin` is the server's own address and the issuer."""

    def __init__(
        self,
        provider: Provider,
        clients: ClientRegistry,
        consent: ConsentPages,
        *,
        origin: str,
        resource: str,
    ) -> None:
        self._provider = provider
        self._clients = clients
        self._consent = consent
        self._origin = origin
        self._resource = resource
        self._authenticator = ClientAuthenticator(provider)
        self._authorization = AuthorizationHandler(provider)
        self._tokens = TokenHandler(provider, self._authenticator)

    def routes(self) -> Iterator[Route]:
        """Return the endpoints and the documents that lead to them."""
        bounded = Middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BODY_BYTES)
        yield Route("/authorize", self.authorize, methods=["GET", "POST"], middleware=[bounded])
        register = RegistrationHandler(self._provider, _REGISTRATION).handle
        for path, endpoint in (("/token", self.token), ("/register", register), ("/revoke", self.revoke)):
            yield Route(path, endpoint, methods=["POST", "OPTIONS"], middleware=[_cors("POST"), bounded])
        metadata = MetadataHandler(self._metadata()).handle
        yield Route(_METADATA, metadata, methods=["GET", "OPTIONS"], middleware=[_cors("GET")])
        yield from create_protected_resource_routes(
            url(self._resource), [url(self._origin)], scopes_supported=[SCOPE], resource_name="Bitrix24 chats"
        )

    async def authorize(self, request: Request) -> Response:
        """Send the browser to the consent page, or back to the client with an error."""
        asked = request.query_params if request.method == "GET" else await request.form()
        if complaint := _too_long(asked):
            return _refusal(400, "invalid_request", complaint)
        await self._fetch_client(request, asked)
        response = await self._authorization.handle(request)
        if not await self._consent.bind(response) and "location" in response.headers:
            response.headers["location"] = with_answer(response.headers["location"], {"iss": self._origin})
        return response

    async def token(self, request: Request) -> Response:
        """Exchange a code or a refresh token, for this server's MCP endpoint alone."""
        form = await request.form()
        if not all(self._provider.is_resource(str(named)) for named in form.getlist("resource")):
            return _refusal(400, "invalid_target", f"this server is {self._resource}")
        await self._fetch_client(request, form)
        return await self._tokens.handle(request)

    async def revoke(self, request: Request) -> Response:
        """End the grant behind a token; a token that is not known is none that has to be ended."""
        form = await request.form()
        await self._fetch_client(request, form)
        try:
            client = await self._authenticator.authenticate_request(request)
        except AuthenticationError as error:
            return _refusal(401, "invalid_client", error.message)
        token = form.get("token")
        if not isinstance(token, str):
            return _refusal(400, "invalid_request", "token is missing")
        await self._provider.revoke(client, token)
        return Response(headers=_NO_STORE)

    async def _fetch_client(self, request: Request, asked: Mapping[str, object]) -> None:
        """Get the client's document, if it has one, for as long as the requester waits."""
        requester = request.client.host if request.client else ""
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            await self._clients.fetch(str(asked.get("client_id", "")), requester)
            tasks.cancel_scope.cancel()

    def _metadata(self) -> OAuthMetadata:
        document = build_metadata(url(self._origin), None, _REGISTRATION, RevocationOptions(enabled=True))
        document.token_endpoint_auth_methods_supported = _METHODS
        document.revocation_endpoint_auth_methods_supported = _METHODS
        document.client_id_metadata_document_supported = True
        document.authorization_response_iss_parameter_supported = True
        document.scopes_supported = [SCOPE]
        return document


def _too_long(asked: Mapping[str, object]) -> str:
    for name, most in LONGEST.items():
        value = asked.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            return f"{name} is longer than {most:,} characters"
    return ""


def _refusal(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status, headers=_NO_STORE)


def _cors(method: str) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins="*",
        allow_methods=[method, "OPTIONS"],
        allow_headers=[MCP_PROTOCOL_VERSION_HEADER],
    )
