"""The authorization server that MCP clients meet; behind it people sign in at their own portal.

The SDK speaks the protocol and checks PKCE; here is decided who is let in. What a client gets is ours and
good for this server alone; the pair of tokens that the portal gave stays in the store.
"""

import secrets
import time

import anyio
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

from bitrix24_chat_mcp.callers import Pass
from bitrix24_chat_mcp.portal.errors import PortalError
from bitrix24_chat_mcp.portal.renewal import SignIns

from .clients import SCOPE, Client, Clients
from .grants import Grant, Grants
from .visits import Visit, Waiting

PATIENCE = 600.0
"""Seconds that a person may take to sign in."""
CODE_LIFE = 60


class Code(AuthorizationCode):
    """A code of ours, and the sign-in it stands for."""

    sign_in: str


class Ticket(RefreshToken):
    """A refresh token, and its grant."""

    grant: Grant


class Provider(OAuthAuthorizationServerProvider[Code, Ticket, AccessToken]):
    """What the SDK asks of an authorization server. `resource` is the server's own address."""

    def __init__(
        self, sign_ins: SignIns, clients: Clients, grants: Grants, issuer: str, resource: str
    ) -> None:
        self._sign_ins = sign_ins
        self._clients = clients
        self._grants = grants
        self._issuer = issuer
        self._resource = resource
        self.visits: Waiting[Visit] = Waiting(PATIENCE)
        self.returns: Waiting[Visit] = Waiting(PATIENCE)
        self._codes: Waiting[Code] = Waiting(CODE_LIFE)

    async def get_client(self, client_id: str) -> Client | None:
        """Find a client."""
        return await self._clients.find(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Take note of a client."""
        client_info.scope = SCOPE
        self._clients.register(client_info)

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        """Begin a visit; return the address of the page that asks the user."""
        if params.resource and params.resource.rstrip("/") != self._resource:
            raise AuthorizeError("invalid_target", f"this server is {self._resource}")
        visit = Visit(Client.model_validate(client.model_dump()), params)
        self.visits.put(visit.id, visit)
        return f"{self._issuer}/sign-in/{visit.id}"

    def welcome(self, visit: Visit, sign_in: str) -> str:
        """Return a code for the client: somebody has signed in."""
        params = visit.params
        code = Code(
            code=secrets.token_hex(32),
            scopes=[SCOPE],
            expires_at=time.time() + CODE_LIFE,
            client_id=visit.client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=self._resource,
            sign_in=sign_in,
        )
        self._codes.put(code.code, code)
        return code.code

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> Code | None:
        """Find a code, if it is this client's."""
        code = self._codes.get(authorization_code)
        return code if code and code.client_id == client.client_id else None

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: Code
    ) -> OAuthToken:
        """Issue tokens for a code, once."""
        code = self._codes.take(authorization_code.code)
        if code is None:
            raise TokenError("invalid_grant", "the code has been used")
        self._clients.keep(client.client_id)
        return self._grants.begin(client.client_id, code.sign_in, code.scopes, self._resource)

    async def load_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: str
    ) -> Ticket | None:
        """Find a refresh token, if it is this client's and its user is still signed in."""
        grant = self._grants.by_refresh(refresh_token)
        if grant is None or grant.client_id != client.client_id or not self._signed_in(grant):
            return None
        return Ticket(
            token=refresh_token,
            client_id=grant.client_id,
            scopes=grant.scopes,
            resource=grant.resource,
            subject=grant.sign_in,
            grant=grant,
        )

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: Ticket, scopes: list[str]
    ) -> OAuthToken:
        """Issue the next tokens."""
        del scopes
        self._clients.keep(client.client_id)
        return self._grants.renew(refresh_token.grant)

    async def load_access_token(self, token: str) -> AccessToken | None:
        """Return the caller's pass, or None: then the client is told to sign its user in."""
        found = self._grants.by_access(token)
        if found is None:
            return None
        grant, expires = found
        try:
            credentials = self._sign_ins.load(grant.sign_in)
        except PortalError:
            return None
        return Pass(
            token=token,
            client_id=grant.client_id,
            scopes=grant.scopes,
            expires_at=expires,
            resource=grant.resource,
            subject=grant.sign_in,
            claims={"iss": self._issuer},
            who=lambda: credentials,
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """As the SDK's token verifiers do."""
        return await self.load_access_token(token)

    async def revoke_token(self, token: AccessToken | Ticket) -> None:
        """Withdraw the grant behind a token."""
        await anyio.lowlevel.checkpoint()
        if isinstance(token, Ticket):
            self._grants.end(token.grant.id)
        elif found := self._grants.by_access(token.token):
            self._grants.end(found[0].id)

    def _signed_in(self, grant: Grant) -> bool:
        try:
            self._sign_ins.load(grant.sign_in)
        except PortalError:
            return False
        return True
