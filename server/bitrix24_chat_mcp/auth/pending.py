"""Authorizations under way: between a client's request and the code that it gets in the end.

The server stores none of them. Each is sealed into the address of the consent page, then into the `state`
that travels to the portal and back; what the browser must show besides is a cookie.
"""

import secrets
import time
from typing import Literal

import msgspec
from mcp.server.auth.provider import AuthorizationParams

from .clients import Client, digest
from .one_time_marks import OneTimeMarks
from .sealing import Sealer

LIFE = 600
"""Seconds that a person may take to sign in."""
Stage = Literal["consent", "return"]


class PendingAuthorization(msgspec.Struct, frozen=True):
    """What a client asked for. `client_id` is a digest; `expires` is in Unix seconds."""

    id: str
    expires: int
    client_id: str
    client_name: str
    client_host: str
    redirect_uri: str
    redirect_uri_given: bool
    code_challenge: str
    state: str | None


class PendingAuthorizations:
    """Seals authorizations for the way and opens them: at any server that has the same key."""

    def __init__(self, sealer: Sealer, marks: OneTimeMarks) -> None:
        self._sealer = sealer
        self._marks = marks

    def begin(self, client: Client, params: AuthorizationParams) -> str:
        """Seal a client's request for the consent page."""
        pending = PendingAuthorization(
            id=secrets.token_hex(16),
            expires=int(time.time()) + LIFE,
            client_id=digest(client.client_id),
            client_name=client.client_name or "",
            client_host=client.host,
            redirect_uri=str(params.redirect_uri),
            redirect_uri_given=params.redirect_uri_provided_explicitly,
            code_challenge=params.code_challenge,
            state=params.state,
        )
        return self.seal("consent", pending)

    def seal(self, stage: Stage, pending: PendingAuthorization) -> str:
        """Seal an authorization for one stage: what was sealed for another is not accepted there."""
        return self._sealer.seal(stage, pending)

    async def open(self, stage: Stage, sealed: str) -> PendingAuthorization | None:
        """Return the authorization, unless it has expired or was finished."""
        pending = self._sealer.open(stage, sealed, PendingAuthorization)
        if pending is None or time.time() >= pending.expires:
            return None
        return None if await self._marks.is_marked(_mark(pending)) else pending

    async def finish(self, pending: PendingAuthorization) -> bool:
        """Accept this authorization no more; return whether this is the first time."""
        return await self._marks.mark(_mark(pending), LIFE)

    def cookie(self, pending: PendingAuthorization) -> str:
        """Return what the browser's cookie holds: only the browser that began gets it."""
        return self._sealer.mac("browser", pending.id)

    def is_by(self, pending: PendingAuthorization, cookie: str | None) -> bool:
        """Tell whether a cookie is that of the browser that began."""
        return self._sealer.is_mac("browser", pending.id, cookie or "")


def _mark(pending: PendingAuthorization) -> str:
    return f"sign-in:{pending.id}"
