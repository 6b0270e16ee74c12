"""The authorization server for MCP clients; users sign in with Bitrix24, at their own portal.

The SDK implements the protocol and checks PKCE; this module decides which codes and tokens are valid. A
client's tokens are issued by this server and valid at it alone; the portal's tokens stay in the store.
"""

import re

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl

from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PortalError, StoreUnreachableError
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.runtime.caller import CallerToken, provider

from .clients import SCOPE, Client, ClientRegistry, digest
from .grants import Grant, GrantStore
from .pending import PendingAuthorization, PendingAuthorizations

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url, RFC 7636 section 4.2


class IssuedCode(AuthorizationCode):
    """A code of this server, and the authorization that it completes."""

    pending: PendingAuthorization


class GrantRefreshToken(RefreshToken):
    """A refresh token, and its grant."""

    grant: Grant


class Provider(OAuthAuthorizationServerProvider[IssuedCode, GrantRefreshToken, AccessToken]):
    """What the SDK asks of an authorization server. `resource` is the address of the MCP endpoint."""

    def __init__(
        self,
        refresher: TokenRefresher,
        clients: ClientRegistry,
        grants: GrantStore,
        pending: PendingAuthorizations,
        *,
        issuer: str,
        resource: str,
    ) -> None:
        self._refresher = refresher
        self._clients = clients
        self._grants = grants
        self._pending = pending
        self._issuer = issuer
        self._resource = resource

    def is_resource(self, named: str) -> bool:
        """Tell whether a resource indicator (RFC 8707) names this server."""
        return named.rstrip("/") == self._resource

    async def get_client(self, client_id: str) -> Client | None:
        """Return a client, or None for an unknown id."""
        return await self._clients.find(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Register a client: give it its id."""
        client_info.scope = SCOPE
        self._clients.register(client_info)

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        """Begin an authorization; return the address of the page that asks the user."""
        if params.resource and not self.is_resource(params.resource):
            raise AuthorizeError("invalid_target", f"this server is {self._resource}")
        if not _CHALLENGE.fullmatch(params.code_challenge):
            raise AuthorizeError("invalid_request", "code_challenge is no SHA-256 digest in base64url")
        requesting = Client.model_validate(client.model_dump())
        return f"{self._issuer}/sign-in/{self._pending.begin(requesting, params)}"

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> IssuedCode | None:
        """Return a code, if it is this client's. One that has been used ends the grant that it began."""
        code = self._pending.unseal("code", authorization_code)
        if code is None or code.client_id != digest(client.client_id):
            return None
        if await self._pending.is_finished("code", code) or await self._grants.find(code.id):
            await self._grants.end(code.id)
            return None
        return IssuedCode(
            code=authorization_code,
            scopes=[SCOPE],
            expires_at=code.expires,
            client_id=client.client_id,
            code_challenge=code.code_challenge,
            redirect_uri=AnyUrl(code.redirect_uri),
            redirect_uri_provided_explicitly=code.redirect_uri_given,
            resource=self._resource,
            pending=code,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: IssuedCode
    ) -> OAuthToken:
        """Issue tokens for a code, once."""
        code = authorization_code.pending
        await self._clients.store(client)  # first, so that what cannot be repeated comes last
        if not await self._pending.finish("code", code):
            await self._grants.end(code.id)
            raise TokenError("invalid_grant", "the authorization code has been used")
        return await self._grants.begin(code.client_id, code.sign_in, [SCOPE], self._resource, code.id)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> GrantRefreshToken | None:
        """Return a refresh token, if it is this client's and its user is still signed in."""
        grant = await self._grants.by_refresh(refresh_token)
        if grant is None or grant.client_id != digest(client.client_id):
            return None
        if await self._credentials(grant) is None:
            return None
        return GrantRefreshToken(
            token=refresh_token,
            client_id=client.client_id,
            scopes=grant.scopes,
            resource=grant.resource,
            subject=grant.sign_in,
            grant=grant,
        )

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: GrantRefreshToken, scopes: list[str]
    ) -> OAuthToken:
        """Issue the next tokens."""
        del scopes
        await self._clients.store(client)
        return await self._grants.renew(refresh_token.grant)

    async def load_access_token(self, token: str) -> AccessToken | None:
        """Return the caller, or None: then the client is told to let its user sign in."""
        found = await self._grants.by_access(token)
        if found is None:
            return None
        grant, expires = found
        credentials = await self._credentials(grant)
        if credentials is None:
            return None
        return CallerToken(
            token=token,
            client_id=grant.client_id,
            scopes=grant.scopes,
            expires_at=expires,
            resource=grant.resource,
            subject=grant.sign_in,
            claims={"iss": self._issuer},
            who=provider(credentials),
        )

    async def revoke(self, client: OAuthClientInformationFull, token: str) -> None:
        """End the grant behind a token of this client's; any other token is no error (RFC 7009)."""
        grant = await self._grants.by_any(token)
        if grant and grant.client_id == digest(client.client_id):
            await self._grants.end(grant.id)

    async def _credentials(self, grant: Grant) -> Credentials | None:
        """Return the credentials of the grant's user, None if the user is not signed in any more."""
        try:
            return await self._refresher.load(grant.sign_in)
        except StoreUnreachableError:
            raise  # nobody is signed out by that
        except PortalError:
            return None
