"""Grants: a user has let a client in. Their tokens are issued by this server, and are never the portal's.

An access token lives an hour, and is valid while its grant exists.

A refresh token is valid once, and contains its generation. For 60 seconds after it was replaced it is
answered with the same tokens that replaced it: the answer may have been lost, and several processes of one
program that share a stored sign-in refresh at the same time. The use of any older one ends the grant: two
parties hold it, so one of them has stolen it.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec
from mcp.server.auth.provider import TokenError
from mcp.shared.auth import OAuthToken

from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.oauth.token_store import ConflictError, TokenStore

ACCESS_LIFE = 3600
REFRESH_LIFE = 90 * 86400
GRACE = 60
"""Seconds for which the refresh token before the present one is answered again."""
_ID, _NUMBER = 32, 8  # hexadecimal digits, which every log masks
_GRANT_ID = re.compile(rf"[0-9a-f]{{{_ID}}}")


@dataclass(frozen=True, slots=True)
class Grant:
    """Which user has let which client in; `sign_in` is the key of the user's tokens.

    `client_id` is a digest. `refresh` is the digest of the present refresh token, which was issued as
    number `generation` at the Unix time `renewed`.
    """

    id: str
    client_id: str
    sign_in: str
    scopes: list[str]
    resource: str
    generation: int
    refresh: str
    renewed: float


@dataclass(frozen=True, slots=True)
class _StoredGrant:
    """A grant, and the generation of its entry in the store."""

    grant: Grant
    generation: int


class GrantStore:
    """All grants. Tokens are derived from the key, so none is stored.

    Once a key has left the ring, the refresh tokens that it made are still good while they are the present
    ones, by their digests; access tokens are not, and older refresh tokens are refused without ending the
    grant.
    """

    def __init__(self, store: TokenStore, *ring: bytes, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._sealer = Sealer(*ring)
        self._clock = clock

    async def begin(
        self, client_id: str, sign_in: str, scopes: list[str], resource: str, grant_id: str = ""
    ) -> OAuthToken:
        """Store a grant and issue its first tokens; raise TokenError if it exists already."""
        grant_id = grant_id or secrets.token_hex(_ID // 2)
        new = Grant(grant_id, client_id, sign_in, scopes, resource, -1, "", 0.0)
        try:
            return await self._issue(new, None)
        except ConflictError:
            raise TokenError("invalid_grant", "the authorization code has been used") from None

    async def renew(self, grant: Grant) -> OAuthToken:
        """Issue the tokens that follow those of `grant`, or the same ones once more.

        Raises TokenError if the grant has ended or gone on since it was looked up.
        """
        while True:
            stored = await self._load(grant.id)
            if stored and stored.grant.generation == grant.generation + 1:
                return self._tokens(stored.grant)
            if stored is None or stored.grant.generation != grant.generation:
                raise TokenError("invalid_grant", "the refresh token has been used")
            with suppress(ConflictError):  # another server has just renewed it: the same tokens again
                return await self._issue(stored.grant, stored.generation)

    async def by_refresh(self, token: str) -> Grant | None:
        """Return the grant of a refresh token, as of the token's generation; one too old ends the grant."""
        grant = await self.find(token[:_ID])
        if grant is None or self._clock() > grant.renewed + REFRESH_LIFE:
            return None
        if hmac.compare_digest(_digest(token), grant.refresh):
            return grant
        if not self._is_sealed("refresh", token):
            return None
        before = replace(grant, generation=_number(token))
        if before.generation == grant.generation - 1 and self._clock() < grant.renewed + GRACE:
            return before
        await self.end(grant.id)
        return None

    async def by_access(self, token: str) -> tuple[Grant, int] | None:
        """Return the grant of an access token, and the Unix time at which the token ends."""
        if not self._is_sealed("access", token):
            return None
        grant, expires = await self.find(token[:_ID]), _number(token)
        return (grant, expires) if grant and self._clock() < expires else None

    async def by_any(self, token: str) -> Grant | None:
        """Return the grant of a token of either kind and of any age."""
        grant = await self.find(token[:_ID])
        if grant is None or hmac.compare_digest(_digest(token), grant.refresh):
            return grant
        return grant if self._is_sealed("access", token) or self._is_sealed("refresh", token) else None

    async def find(self, grant_id: str) -> Grant | None:
        """Return a grant that has not ended."""
        stored = await self._load(grant_id)
        return stored.grant if stored else None

    async def end(self, grant_id: str) -> None:
        """Delete a grant; its tokens are invalid from now on."""
        await self._store.delete(f"grant:{grant_id}")

    async def _load(self, grant_id: str) -> _StoredGrant | None:
        stored = await self._store.load(f"grant:{grant_id}") if _GRANT_ID.fullmatch(grant_id) else None
        try:
            grant = msgspec.json.decode(stored.text, type=Grant) if stored else None
        except msgspec.DecodeError:
            return None
        return _StoredGrant(grant, stored.generation) if stored and grant else None

    async def _issue(self, grant: Grant, stored_generation: int | None) -> OAuthToken:
        generation = grant.generation + 1
        refresh = _digest(self._token("refresh", grant.id, generation))
        new = replace(grant, generation=generation, refresh=refresh, renewed=self._clock())
        text = msgspec.json.encode(new).decode()
        await self._store.save(f"grant:{new.id}", text, generation=stored_generation)
        return self._tokens(new)

    def _tokens(self, grant: Grant) -> OAuthToken:
        expires = int(grant.renewed) + ACCESS_LIFE
        return OAuthToken(
            access_token=self._token("access", grant.id, expires),
            refresh_token=self._present(grant),
            expires_in=max(0, expires - int(self._clock())),
            scope=" ".join(grant.scopes),
        )

    def _token(self, kind: str, grant_id: str, number: int) -> str:
        return next(self._made(kind, grant_id, number))

    def _made(self, kind: str, grant_id: str, number: int) -> Iterator[str]:
        """Return the token that each key makes."""
        stem = f"{grant_id}{number:0{_NUMBER}x}"
        return (stem + mac for mac in self._sealer.macs(kind, stem))

    def _present(self, grant: Grant) -> str:
        """Return the grant's present refresh token, which another key than the first may have made."""
        made = list(self._made("refresh", grant.id, grant.generation))
        return next((token for token in made if _digest(token) == grant.refresh), made[0])

    def _is_sealed(self, kind: str, token: str) -> bool:
        stem = token[: _ID + _NUMBER]
        return self._sealer.is_mac(kind, stem, token[len(stem) :])


def _number(token: str) -> int:
    return int(token[_ID : _ID + _NUMBER], 16)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
