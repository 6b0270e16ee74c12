"""Authorizations under way: from a client's request to the code that it exchanges for tokens.

The server stores none of them. Each is sealed into the address of the consent page, then into the `state`
that travels to the portal and back, then into the code; the browser also has to show a cookie.
"""

import secrets
import time
from dataclasses import dataclass, replace
from typing import Literal

from mcp.server.auth.provider import AuthorizationParams

from bitrix24_chat_mcp.portal.oauth.sealing import Sealer

from .clients import Client, digest
from .one_time_marks import OneTimeMarks

LIFE = 600
"""Seconds that a user may take to sign in."""
CODE_LIFE = 60
"""Seconds for which an authorization code is good."""
SignInStage = Literal["consent", "return", "code"]
# The consent page and the way back are finished together, by the first answer to the client.
_MARKS: dict[SignInStage, str] = {"consent": "sign-in", "return": "sign-in", "code": "code"}


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """A client's request. `id` is that of the grant it leads to, and `client_id` a digest.

    `expires` is in Unix seconds; `sign_in` is the key of the user's tokens, once there are any.
    """

    id: str
    expires: int
    client_id: str
    client_name: str
    client_host: str
    redirect_uri: str
    redirect_uri_given: bool
    code_challenge: str
    state: str | None
    sign_in: str = ""


class PendingAuthorizations:
    """Seals authorizations and opens them again, at any server that has the same key."""

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

    def issue_code(self, pending: PendingAuthorization, sign_in: str) -> str:
        """Return the client's authorization code, after its user has signed in."""
        code = replace(
            pending, expires=int(time.time()) + CODE_LIFE, client_name="", state=None, sign_in=sign_in
        )
        return self.seal("code", code)

    def seal(self, stage: SignInStage, pending: PendingAuthorization) -> str:
        """Seal an authorization for one stage: what was sealed for another is not accepted there."""
        return self._sealer.seal(stage, pending)

    def unseal(self, stage: SignInStage, sealed: str) -> PendingAuthorization | None:
        """Return the authorization, even if it has expired or was finished."""
        return self._sealer.open(stage, sealed, PendingAuthorization)

    async def open(self, stage: SignInStage, sealed: str) -> PendingAuthorization | None:
        """Return the authorization, unless it has expired or was finished."""
        pending = self.unseal(stage, sealed)
        if pending is None or time.time() >= pending.expires or await self.is_finished(stage, pending):
            return None
        return pending

    async def finish(self, stage: SignInStage, pending: PendingAuthorization) -> bool:
        """Accept this authorization no more at this stage; return True the first time."""
        return await self._marks.mark(f"{_MARKS[stage]}:{pending.id}", LIFE)

    async def is_finished(self, stage: SignInStage, pending: PendingAuthorization) -> bool:
        """Tell whether `finish` has been called."""
        return await self._marks.is_marked(f"{_MARKS[stage]}:{pending.id}")

    def cookie(self, pending: PendingAuthorization) -> str:
        """Return the value of the cookie that only the browser gets that began the sign-in."""
        return self._sealer.mac("browser", pending.id)

    def is_by(self, pending: PendingAuthorization, cookie: str | None) -> bool:
        """Tell whether a cookie is that of the browser that began the sign-in."""
        return self._sealer.is_mac("browser", pending.id, cookie or "")
