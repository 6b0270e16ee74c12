"""Loads stored tokens, and refreshes them when the portal says that an access token has expired.

A refresh is one request to the OAuth server, which invalidates the refresh token that it was made with.
So all callers of a process share one refresh, and processes take turns by the store's lock and look first
whether another has done it. The new pair is stored before any request travels with it. If the process is
killed between the OAuth server's rotation and that, the user must sign in again.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

import anyio

from bitrix24_chat_mcp.portal.api.client import read_profile
from bitrix24_chat_mcp.portal.api.errors import (
    ApiError,
    ConfigurationError,
    NotAuthenticatedError,
    PortalError,
    StoreUnreachableError,
)
from bitrix24_chat_mcp.portal.api.rest import ApiResult, HttpResponse, Post, Request, read
from bitrix24_chat_mcp.portal.transport.engine_use import for_nobody
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.redirects import RedirectedCredentials

from .application import Application, Form, OAuthCredentials, TokenPair, parse_token_response
from .stored_pair import StoredPair, read_stored_pair
from .token_store import ConflictError, TokenStore

# A token that the portal does not know may be one that another process has just replaced.
_REFRESHABLE = frozenset({"EXPIRED_TOKEN", "INVALID_TOKEN"})
_SAVE_AGAIN, _SAVE_FOR = 0.5, 60.0
"""Seconds between attempts to store a new pair in a store that cannot be reached, and for all of them."""


@dataclass(eq=False, slots=True)
class _Refresh:
    """A refresh under way, and how it failed, for the callers that wait for it."""

    done: anyio.Event = field(default_factory=anyio.Event)
    error: PortalError | None = None


class TokenRefresher:
    """The tokens of all users who have signed in.

    `open_store` is called when tokens are first needed. `sign_in_step` tells the model what its user must do
    to sign in again.
    """

    def __init__(
        self,
        application: Application,
        open_store: Callable[[], TokenStore],
        http_client: HttpClient,
        sign_in_step: str,
    ) -> None:
        self.application = application
        self._open_store = open_store
        self._store: TokenStore | None = None
        self._http_client = http_client
        self._sign_in_step = sign_in_step
        self._loaded: WeakValueDictionary[str, OAuthCredentials] = WeakValueDictionary()
        self._refreshes: dict[str, _Refresh] = {}

    def open_store(self) -> TokenStore:
        """Return the store, opened once; blocks while a keyring's library is imported."""
        if self._store is None:
            with _store_errors():
                self._store = self._open_store()
        return self._store

    async def load(self, key: str) -> OAuthCredentials:
        """Return the credentials stored under a key, with their newest tokens; raise where there are none."""
        stored = await self._load(key)
        if stored is None:
            raise self._not_signed_in("Nobody is signed in to Bitrix24 here.")
        credentials = self._loaded.get(key)
        if credentials is None or credentials.user != stored.pair.user:
            secret = self.application.client_secret
            credentials = self._loaded[key] = OAuthCredentials(key, stored.pair, secret)
        credentials.pair = stored.pair
        return credentials

    async def exchange_code(self, code: str, redirect_uri: str | None) -> TokenPair:
        """Exchange an authorization code for tokens, and ask the portal whose they are."""
        response = await self._post(self.application.code_request(code, redirect_uri))
        pair = parse_token_response(response, self.application.portal)
        if pair.user:
            return pair
        request = Request(OAuthCredentials("", pair), "profile", {}, reader=read_profile)
        profile = read(request, await self._http_client.send(request)).result
        return TokenPair(pair.portal, profile.user, pair.access, pair.refresh)

    async def sign_in(self, key: str, pair: TokenPair) -> OAuthCredentials:
        """Store the first tokens of a sign-in, in place of any others, and return their credentials."""
        store = await self._opened()
        with _store_errors():
            async with store.lock(key):
                while True:
                    found = await store.load(key)
                    try:
                        await self._save(key, StoredPair(pair, 0), found.generation if found else None)
                        break
                    except ConflictError:  # by a process that has lost its lock
                        continue
        return await self.load(key)

    async def sign_out(self, key: str) -> None:
        """Delete a user's tokens: the user has signed out."""
        store = await self._opened()
        with _store_errors():
            async with store.lock(key):
                await store.delete(key)

    def refreshing(self, post: Post) -> Post:
        """Wrap `post`: when a token has expired, refresh it and repeat the request once."""

        async def post_refreshing(request: Request[object]) -> ApiResult:
            credentials = request.credentials
            if isinstance(credentials, RedirectedCredentials):
                credentials = credentials.credentials
            if not isinstance(credentials, OAuthCredentials):
                return await post(request)
            access = credentials.pair.access
            try:
                return await post(request)
            except ApiError as error:
                if error.code not in _REFRESHABLE:
                    raise
                await self._refresh(credentials, access, expired=error.code == "EXPIRED_TOKEN")
            return await post(request)

        return post_refreshing

    async def _refresh(self, credentials: OAuthCredentials, access: str, *, expired: bool) -> None:
        """Replace the pair of a refused access token, or wait for the caller that does, and its outcome."""
        if credentials.pair.access != access:
            return
        if refresh := self._refreshes.get(credentials.key):
            await refresh.done.wait()
            if refresh.error:
                raise refresh.error
            return
        refresh = self._refreshes[credentials.key] = _Refresh()
        try:  # shielded from cancellation: the refresh token rotates, and the new one has to be stored
            with anyio.CancelScope(shield=True), for_nobody():
                await self._refresh_locked(credentials, access, expired=expired)
        except PortalError as error:
            refresh.error = error
            raise
        finally:
            del self._refreshes[credentials.key]
            refresh.done.set()

    async def _refresh_locked(self, credentials: OAuthCredentials, access: str, *, expired: bool) -> None:
        key, store = credentials.key, await self._opened()
        with _store_errors():
            async with store.lock(key):
                stored = await self._load(key)
                if stored and stored.pair.user == credentials.user and stored.pair.access == access:
                    try:
                        stored = await self._next(key, stored, expired=expired)
                    except ConflictError:  # another process held the lock in the end, and has done it
                        stored = await self._load(key)
        if stored is None or stored.pair.user != credentials.user:
            raise self._not_signed_in("The user has signed out of Bitrix24 meanwhile.")
        credentials.pair = stored.pair

    async def _next(self, key: str, stored: StoredPair, *, expired: bool) -> StoredPair:
        """Return the pair that follows the stored one; raise ConflictError if that was replaced meanwhile."""
        in_doubt = stored.in_doubt()
        if not expired:
            why = "The portal does not know the sign-in any more."
            raise await self._ended(key, stored, why, in_doubt=in_doubt)
        # A full disk has to be found before the refresh token is used up.
        stored = await self._save(key, stored.begin_refresh(), stored.generation)
        response = await self._post(self.application.refresh_request(stored.pair))
        try:
            new = parse_token_response(response, stored.pair.portal, stored.pair.user)
        except ApiError as error:
            if error.code != "INVALID_GRANT":
                raise
            why = "The sign-in to Bitrix24 has expired, or was used up."
            raise await self._ended(key, stored, why, in_doubt=in_doubt) from None
        return await self._replace(key, stored, new)

    async def _replace(self, key: str, stored: StoredPair, new: TokenPair) -> StoredPair:
        """Store the pair that the OAuth server gave for the stored one, whatever touched that meanwhile."""
        give_up = anyio.current_time() + _SAVE_FOR
        while True:
            try:
                return await self._save(key, StoredPair(new, 0), stored.generation)
            except StoreUnreachableError:  # nobody else knows the new pair
                if anyio.current_time() > give_up:
                    raise
                await anyio.sleep(_SAVE_AGAIN)
            except ConflictError:
                found = await self._load(key)
                if found is None or found.pair != stored.pair:
                    raise
                stored = found

    async def _ended(self, key: str, dead: StoredPair, why: str, *, in_doubt: bool) -> NotAuthenticatedError:
        """Delete an invalid pair, unless a frozen server may store the next; return the error to raise."""
        if not in_doubt:
            await (await self._opened()).delete(key, generation=dead.generation)
        return self._not_signed_in(why)

    async def _opened(self) -> TokenStore:
        return self._store or await asyncio.to_thread(self.open_store)

    async def _post(self, form: Form) -> HttpResponse:
        return await self._http_client.post_form(self.application.token_url, form)

    async def _load(self, key: str) -> StoredPair | None:
        store = await self._opened()
        with _store_errors():
            stored = await store.load(key)
        if stored is None:
            return None
        found = read_stored_pair(stored.text, stored.generation)
        return found if found and found.pair.portal == self.application.portal else None

    async def _save(self, key: str, new: StoredPair, generation: int | None) -> StoredPair:
        store = await self._opened()
        with _store_errors():
            stored = await store.save(key, new.text(), generation=generation)
        return replace(new, generation=stored.generation)

    def _not_signed_in(self, meaning: str) -> NotAuthenticatedError:
        return NotAuthenticatedError("NOT_SIGNED_IN", meaning, self._sign_in_step)


@contextmanager
def _store_errors() -> Generator[None]:
    """Turn the error of a store into a sentence."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            "SIGN_IN_NOT_KEPT",
            f"The sign-in to Bitrix24 cannot be read or kept on this machine ({error.strerror or error}).",
            "Ask the person who runs this server to look at oauth.store and the user's data folder.",
        ) from None
