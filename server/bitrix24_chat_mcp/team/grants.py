"""Grants: a user has let a client in. And the tokens that show it: ours, never the portal's.

An access token lives an hour and is checked by its seal and by its grant, which can be withdrawn. A refresh
token is good once; used again after a minute, it tells that somebody has stolen one, and the grant ends.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec
from mcp.shared.auth import OAuthToken

from bitrix24_chat_mcp.portal.store import Store

ACCESS_LIFE = 3600
REFRESH_LIFE = 90 * 86400
GRACE = 60
_ID, _EXPIRY, _SEAL = 32, 8, 64  # hexadecimal digits, which every log masks


@dataclass(frozen=True, slots=True)
class Grant:
    """Who let which client in. `refresh` and `before` are digests of the present token and its forerunner."""

    id: str
    client_id: str
    sign_in: str
    scopes: list[str]
    resource: str
    refresh: str
    before: str
    renewed: float


class Grants:
    """All grants, kept in the store; `key` seals access tokens."""

    def __init__(self, store: Store, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._key = key
        self._clock = clock

    def begin(self, client_id: str, sign_in: str, scopes: list[str], resource: str) -> OAuthToken:
        """Write a grant down, and issue its first tokens."""
        grant = Grant(secrets.token_hex(_ID // 2), client_id, sign_in, scopes, resource, "", "", 0.0)
        return self._issue(grant)

    def renew(self, grant: Grant) -> OAuthToken:
        """Issue the next tokens."""
        return self._issue(grant)

    def by_refresh(self, token: str) -> Grant | None:
        """Return the grant of a refresh token; a token used before ends it."""
        grant = self._load(token[:_ID])
        if grant is None or self._clock() > grant.renewed + REFRESH_LIFE:
            return None
        if hmac.compare_digest(_digest(token), grant.refresh):
            return grant
        if hmac.compare_digest(_digest(token), grant.before):
            if self._clock() < grant.renewed + GRACE:  # the client may not have got our answer
                return grant
            self.end(grant.id)
        return None

    def by_access(self, token: str) -> tuple[Grant, int] | None:
        """Return the grant of an access token, and the Unix time at which the token ends."""
        stem = token[: _ID + _EXPIRY]
        if not hmac.compare_digest(token.encode(), (stem + self._seal(stem)).encode()):
            return None
        grant, expires = self._load(stem[:_ID]), int(stem[_ID:], 16)
        return (grant, expires) if grant and self._clock() < expires else None

    def end(self, grant_id: str) -> None:
        """Withdraw a grant; its tokens are worth nothing from now on."""
        self._store.forget(f"grant:{grant_id}")

    def _issue(self, grant: Grant) -> OAuthToken:
        refresh = grant.id + secrets.token_hex(_SEAL // 2)
        stem = f"{grant.id}{int(self._clock()) + ACCESS_LIFE:0{_EXPIRY}x}"
        new = replace(grant, refresh=_digest(refresh), before=grant.refresh, renewed=self._clock())
        self._store.save(f"grant:{new.id}", msgspec.json.encode(new).decode())
        return OAuthToken(
            access_token=stem + self._seal(stem),
            refresh_token=refresh,
            expires_in=ACCESS_LIFE,
            scope=" ".join(grant.scopes),
        )

    def _load(self, grant_id: str) -> Grant | None:
        kept = self._store.load(f"grant:{grant_id}")
        try:
            return msgspec.json.decode(kept, type=Grant) if kept else None
        except msgspec.DecodeError:
            return None

    def _seal(self, stem: str) -> str:
        return hmac.new(self._key, stem.encode(), sha256).hexdigest()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
