"""The authorization server that MCP clients meet; behind it people sign in at their own portal.

The SDK speaks the protocol and checks PKCE; here is decided who is let in. What a client gets is ours and
good for this server alone; the pair of tokens that the portal gave stays in the store.
"""

import re
import secrets
import time

import msgspec
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
from .one_time_marks import OneTimeMarks
from .pending import PendingAuthorization, PendingAuthorizations
from .sealing import Sealer

CODE_LIFE = 60
"""Seconds for which an authorization code is good."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url, RFC 7636 section 4.2


class _SealedCode(msgspec.Struct, frozen=True):
    """What an authorization code says; `grant` is the id of the grant that it begins."""

    grant: str
    expires: int
    sign_in: str
    pending: PendingAuthorization


class IssuedCode(AuthorizationCode):
    """A code of ours, the sign-in it stands for, and the grant that it begins."""

    sign_in: str
    grant: str


class GrantRefreshToken(RefreshToken):
    """A refresh token, and its grant."""

    grant: Grant


class Provider(OAuthAuthorizationServerProvider[IssuedCode, GrantRefreshToken, AccessToken]):
    """What the SDK asks of an authorization server. `resource` is the address of the MCP endpoint."""

    def __init__(  # noqa: PLR0913 - its parts
        self,
        refresher: TokenRefresher,
        clients: ClientRegistry,
        grants: GrantStore,
        pending: PendingAuthorizations,
        marks: OneTimeMarks,
        sealer: Sealer,
        *,
        issuer: str,
        resource: str,
    ) -> None:
        self._refresher = refresher
        self._clients = clients
        self._grants = grants
        self._pending = pending
        self._sealer = sealer
        self._issuer = issuer
        self._resource = resource
        self._marks = marks

    def is_resource(self, named: str) -> bool:
        """Tell whether a resource indicator (RFC 8707) names this server."""
        return named.rstrip("/") == self._resource

    async def get_client(self, client_id: str) -> Client | None:
        """Find a client."""
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
        known = Client.model_validate(client.model_dump())
        return f"{self._issuer}/sign-in/{self._pending.begin(known, params)}"

    def welcome(self, pending: PendingAuthorization, sign_in: str) -> str:
        """Return a code for the client: its user has signed in."""
        pending = msgspec.structs.replace(pending, client_name="", state=None)  # what it needs no more
        grant, expires = secrets.token_hex(16), int(time.time()) + CODE_LIFE
        return self._sealer.seal("code", _SealedCode(grant, expires, sign_in, pending))

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> IssuedCode | None:
        """Find a code, if it is this client's. One that has been used ends the grant that it began."""
        code = self._sealer.open("code", authorization_code, _SealedCode)
        if code is None or code.pending.client_id != digest(client.client_id):
            return None
        if await self._marks.is_marked(f"code:{code.grant}") or await self._grants.find(code.grant):
            await self._grants.end(code.grant)
            return None
        return IssuedCode(
            code=authorization_code,
            scopes=[SCOPE],
            expires_at=code.expires,
            client_id=client.client_id,
            code_challenge=code.pending.code_challenge,
            redirect_uri=AnyUrl(code.pending.redirect_uri),
            redirect_uri_provided_explicitly=code.pending.redirect_uri_given,
            resource=self._resource,
            sign_in=code.sign_in,
            grant=code.grant,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: IssuedCode
    ) -> OAuthToken:
        """Issue tokens for a code, once."""
        code = authorization_code
        if not await self._marks.mark(f"code:{code.grant}", CODE_LIFE):
            await self._grants.end(code.grant)
            raise TokenError("invalid_grant", "the authorization code has been used")
        await self._clients.store(client)
        return await self._grants.begin(
            digest(client.client_id), code.sign_in, code.scopes, self._resource, code.grant
        )

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> GrantRefreshToken | None:
        """Find a refresh token, if it is this client's and its user is still signed in."""
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
        tokens = await self._grants.renew(refresh_token.grant)
        await self._clients.store(client)
        return tokens

    async def load_access_token(self, token: str) -> AccessToken | None:
        """Return the caller's pass, or None: then the client is told to sign its user in."""
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

    async def verify_token(self, token: str) -> AccessToken | None:
        """As the SDK's token verifiers do."""
        return await self.load_access_token(token)

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
