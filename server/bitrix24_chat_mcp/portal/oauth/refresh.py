"""Sign-ins while they live: loaded from the store, renewed when the portal says that a token has expired.

A renewal takes one request to the OAuth server, which kills the pair it was made with. So there is one for
all callers of a process, and one for all processes: whoever gets the turn looks first whether somebody
else has been there. The new pair is on disk before anybody travels with it. What cannot be had: if the
process is killed after the server has changed the pair and before its answer is on disk, the new pair is
known to nobody, and the user must sign in again.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakValueDictionary

import anyio
import msgspec

from bitrix24_chat_mcp.portal.api.errors import (
    ApiError,
    ConfigurationError,
    NotAuthenticatedError,
    PortalError,
)
from bitrix24_chat_mcp.portal.api.profile import read_profile
from bitrix24_chat_mcp.portal.api.rest import ApiResult, HttpResponse, Post, Request, parse_response, read
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.redirects import RedirectedCredentials

from .application import Application, Form, OAuthCredentials, TokenPair, parse_token_response
from .token_store import TokenStore

# A token that is not known may be the one that another process has just had replaced.
_TOKEN_IS_DEAD = frozenset({"EXPIRED_TOKEN", "INVALID_TOKEN"})


@dataclass(eq=False, slots=True)
class _Renewal:
    """A renewal under way, and those who wait for what comes of it."""

    over: anyio.Event = field(default_factory=anyio.Event)
    error: PortalError | None = None


class TokenRefresher:
    """Everybody who has signed in. `again` tells a model what its user must do to sign in again."""

    def __init__(
        self, application: Application, open_store: Callable[[], TokenStore], carrier: HttpClient, again: str
    ) -> None:
        self.application = application
        self._open_store = open_store
        self._carrier = carrier
        self._again = again
        self._loaded: WeakValueDictionary[str, OAuthCredentials] = WeakValueDictionary()
        self._renewals: dict[str, _Renewal] = {}

    @cached_property
    def store(self) -> TokenStore:
        """Where they are kept; opened when somebody first needs it."""
        with _kept():
            return self._open_store()

    def load(self, key: str) -> OAuthCredentials:
        """Return the credentials kept under a key, as they are now; raise where there are none."""
        pair = self._read(key)
        if pair is None:
            raise self._not_signed_in("Nobody is signed in to Bitrix24 here.")
        who = self._loaded.get(key)
        if who is None or who.user != pair.user:
            who = self._loaded[key] = OAuthCredentials(key, pair, self.application.client_secret)
        who.pair = pair
        return who

    async def exchange(self, code: str, redirect_uri: str | None) -> TokenPair:
        """Buy a pair for an authorization code, and ask the portal whose it is."""
        reply = await self._post(self.application.for_code(code, redirect_uri))
        pair = parse_token_response(reply, self.application.portal)
        if pair.user:
            return pair
        asked = Request(OAuthCredentials("", pair), "profile", {}, reader=read_profile)
        profile = read(asked, parse_response(await self._carrier.send(asked))).result
        return TokenPair(pair.portal, profile.user, pair.access, pair.refresh)

    async def keep(self, key: str, pair: TokenPair) -> OAuthCredentials:
        """Keep a first pair and return its credentials."""
        async with self.store.lock(key):
            self._write(key, pair)
        return self.load(key)

    async def forget(self, key: str) -> None:
        """Keep a user's pair no more."""
        with _kept():
            async with self.store.lock(key):
                self.store.delete(key)

    def around(self, post: Post) -> Post:
        """Wrap what makes single requests: renew an expired token, and repeat the call once."""

        async def renewing(request: Request[object]) -> ApiResult:
            who = request.credentials
            if isinstance(who, RedirectedCredentials):
                who = who.credentials
            if not isinstance(who, OAuthCredentials):
                return await post(request)
            spent = who.pair.access
            try:
                return await post(request)
            except ApiError as error:
                if error.code not in _TOKEN_IS_DEAD:
                    raise
                await self._renew(who, spent, expired=error.code == "EXPIRED_TOKEN")
            return await post(request)

        return renewing

    async def _renew(self, who: OAuthCredentials, spent: str, *, expired: bool) -> None:
        """Get another pair than the spent one, or wait for whoever is at it, and share the outcome."""
        if who.pair.access != spent:
            return
        if renewal := self._renewals.get(who.key):
            await renewal.over.wait()
            if renewal.error:
                raise renewal.error
            return
        renewal = self._renewals[who.key] = _Renewal()
        try:
            # Nobody's impatience may come between the server's answer and the disk.
            with anyio.CancelScope(shield=True):
                await self._renew_in_turn(who, spent, expired=expired)
        except PortalError as error:
            renewal.error = error
            raise
        finally:
            del self._renewals[who.key]
            renewal.over.set()

    async def _renew_in_turn(self, who: OAuthCredentials, spent: str, *, expired: bool) -> None:
        async with self.store.lock(who.key):
            kept = self._read(who.key)
            if kept is None or kept.user != who.user:
                raise self._not_signed_in("The user has signed out of Bitrix24 meanwhile.")
            who.pair = kept if kept.access != spent else await self._next(who.key, kept, expired=expired)

    async def _next(self, key: str, pair: TokenPair, *, expired: bool) -> TokenPair:
        if not expired:
            raise self._ended(key, "The portal does not know the sign-in any more.")
        self._write(key, pair)  # a disk that is full must be found out before the pair is dead
        reply = await self._post(self.application.for_renewal(pair))
        try:
            new = parse_token_response(reply, pair.portal, pair.user)
        except ApiError as error:
            if error.code != "INVALID_GRANT":
                raise
            raise self._ended(key, "The sign-in to Bitrix24 has expired, or was used up.") from None
        self._write(key, new)
        return new

    def _ended(self, key: str, meaning: str) -> NotAuthenticatedError:
        """Forget a dead pair, so that nobody asks with it again."""
        self.store.delete(key)
        return self._not_signed_in(meaning)

    async def _post(self, form: Form) -> HttpResponse:
        return await self._carrier.post_form(self.application.token_address, form)

    def _read(self, key: str) -> TokenPair | None:
        with _kept():
            kept = self.store.load(key)
        try:
            pair = msgspec.json.decode(kept, type=TokenPair) if kept else None
        except msgspec.DecodeError:
            return None
        return pair if pair and pair.portal == self.application.portal else None

    def _write(self, key: str, pair: TokenPair) -> None:
        with _kept():
            self.store.save(key, msgspec.json.encode(pair).decode())

    def _not_signed_in(self, meaning: str) -> NotAuthenticatedError:
        return NotAuthenticatedError("NOT_SIGNED_IN", meaning, self._again)


@contextmanager
def _kept() -> Generator[None]:
    """Turn a store that fails into a sentence."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            "SIGN_IN_NOT_KEPT",
            f"The sign-in to Bitrix24 cannot be read or kept on this machine ({error.strerror or error}).",
            "Ask the person who runs this server to look at oauth.store and the user's data folder.",
        ) from None
