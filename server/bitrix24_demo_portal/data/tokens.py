"""OAuth codes and tokens: codes live 30 seconds, access tokens an hour, and refresh tokens rotate."""

from dataclasses import dataclass
from hashlib import sha256

CODE_LIFE = 30
TOKEN_LIFE = 3600
REFRESH_LIFE = 180 * 86400


@dataclass(slots=True)
class TokenPair:
    """An access token with the refresh token that came with it."""

    user: int
    access: str
    refresh: str
    expires: float
    refresh_expires: float
    alive: bool = True


class TokenStore:
    """All codes and tokens ever issued; stable for a seed, in the order of issue."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._issued = 0
        self._codes: dict[str, tuple[int, float]] = {}
        self._pairs: list[TokenPair] = []

    def code(self, user: int, now: float) -> str:
        """Issue an authorization code for the user."""
        code = self._secret("code")[:64]
        self._codes[code] = (user, now + CODE_LIFE)
        return code

    def redeem(self, code: str, now: float) -> TokenPair | None:
        """Exchange a code for tokens, once and in time."""
        user, expires = self._codes.pop(code, (0, 0.0))
        return self.issue(user, now) if user and now < expires else None

    def issue(self, user: int, now: float) -> TokenPair:
        """Issue a new pair; an access token starts with its expiry, little-endian, as a real one does."""
        expires = now + TOKEN_LIFE
        prefix = int(expires).to_bytes(8, "little").hex()[:8]
        access, refresh = (
            prefix + self._secret("access")[:62],
            self._secret("refresh") + self._secret("more")[:6],
        )
        pair = TokenPair(user, access, refresh, expires, now + REFRESH_LIFE)
        self._pairs.append(pair)
        return pair

    def refresh(self, refresh_token: str, now: float, *, rotate: bool) -> TokenPair | None:
        """Exchange a refresh token; with rotation the old pair becomes invalid."""
        old = next((pair for pair in self._pairs if pair.refresh == refresh_token), None)
        if old is None or not old.alive or now >= old.refresh_expires:
            return None
        old.alive = not rotate
        return self.issue(old.user, now)

    def find(self, access_token: str) -> TokenPair | None:
        """Find the pair of an access token that was issued and has not been replaced."""
        return next((pair for pair in self._pairs if pair.access == access_token and pair.alive), None)

    def expire(self, now: float) -> None:
        """Let every access token expire at once; refresh tokens stay valid."""
        for pair in self._pairs:
            pair.expires = min(pair.expires, now)

    def _secret(self, what: str) -> str:
        self._issued += 1
        return sha256(f"{self._seed}:{what}:{self._issued}".encode()).hexdigest()
