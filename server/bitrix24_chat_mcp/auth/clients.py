"""The clients that users let in: registered here, or described by a document at their own address.

A registration is sealed into the `client_id` that answers it, so strangers may register as often as they
like: nothing is stored before a user lets the client in.
"""

from contextlib import suppress
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec
from mcp.server.auth.provider import RegistrationError
from mcp.shared.auth import InvalidRedirectUriError, OAuthClientInformationFull
from pydantic import AnyUrl

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.portal.oauth.sealing import Sealer
from bitrix24_chat_mcp.portal.oauth.token_store import ConflictError, TokenStore

from . import redirect_uris
from .client_documents import ClientDocuments, is_document

SCOPE = "chats"
"""The one permission: to see the user's chats, and to change how the user sees them."""
MOST_CHARACTERS = 2048
"""Longest `client_id`."""
_MOST_METADATA = 16_384
_MOST_NAME = 80


class _Registration(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a `client_id` holds."""

    redirect_uris: list[str]
    method: str
    name: str = ""


class Client(OAuthClientInformationFull):
    """A client with the only scope; its loopback redirect URIs are valid at any port (RFC 8252)."""

    def validate_scope(self, requested_scope: str | None) -> list[str]:
        """Return the only scope, whatever was requested."""
        del requested_scope
        return [SCOPE]

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        """Return the redirect URI; at a loopback address native programs take any free port."""
        registered = self.redirect_uris or []
        if redirect_uri is None and len(registered) == 1:
            return registered[0]
        if redirect_uri and any(redirect_uris.is_same(redirect_uri, one) for one in registered):
            return redirect_uri
        raise InvalidRedirectUriError("redirect_uri is not one of the client's")

    @property
    def host(self) -> str:
        """The host of the document that describes the client; empty for a registered one."""
        return (urlsplit(self.client_id).hostname or "") if is_document(self.client_id) else ""


class ClientRegistry:
    """Finds clients by their id. Registered ones are stored when a user has let them in."""

    def __init__(self, store: TokenStore, sealer: Sealer, documents: ClientDocuments) -> None:
        self._store = store
        self._sealer = sealer
        self._documents = documents

    async def fetch(self, client_id: str, requester: str) -> None:
        """Fetch the document of a client that is described by one, so that `find` knows it.

        `requester` is the network that the request comes from.
        """
        if is_document(client_id):
            await self._documents.fetch(client_id, requester)

    async def find(self, client_id: str) -> Client | None:
        """Return the client, or None if there is none of that id."""
        if len(client_id) > MOST_CHARACTERS:
            return None
        if is_document(client_id):
            returns = self._documents.redirect_uris(client_id)
            return _client(client_id, returns, "none") if returns else None
        for sealer in self._sealer.each():
            if registration := sealer.open("client", client_id, _Registration):
                return _registered(sealer, client_id, registration)
        # Not sealed by a present key: the key may have been replaced since.
        stored = await self._store.load(f"client:{digest(client_id)}")
        return Client.model_validate_json(stored.text) if stored else None

    def register(self, client: OAuthClientInformationFull) -> None:
        """Give a client its id and its secret; raise RegistrationError if it asks for too much."""
        if problem := redirect_uris.problems(client.redirect_uris):
            raise RegistrationError("invalid_redirect_uri", problem)
        registration = _Registration(
            redirect_uris=[str(uri) for uri in client.redirect_uris or []],
            method=client.token_endpoint_auth_method or "none",
            name=sanitize(client.client_name, _MOST_NAME),
        )
        client.client_id = self._sealer.seal("client", registration)
        if max(len(client.client_id) / MOST_CHARACTERS, len(client.model_dump_json()) / _MOST_METADATA) > 1:
            raise RegistrationError("invalid_client_metadata", "the metadata is too long")
        client.client_secret = _registered(self._sealer, client.client_id, registration).client_secret

    async def store(self, client: OAuthClientInformationFull) -> None:
        """Store a registered client that a user has let in: it is known even after a change of the key."""
        if is_document(client.client_id):
            return
        key = f"client:{digest(client.client_id)}"
        stored = await self._store.load(key)
        with suppress(ConflictError):  # another server has just stored the same
            generation = stored.generation if stored else None
            await self._store.save(key, client.model_dump_json(exclude_none=True), generation=generation)


def _registered(sealer: Sealer, client_id: str, registration: _Registration) -> Client:
    client = _client(client_id, registration.redirect_uris, registration.method)
    client.client_name = registration.name or None
    if registration.method != "none":
        client.client_secret = sealer.mac("client secret", client_id)
    return client


def digest(client_id: str) -> str:
    """Return a digest that stands for a client's id."""
    return sha256(client_id.encode()).hexdigest()


def _client(client_id: str, redirect_uris: list[str], method: str) -> Client:
    return Client(
        client_id=client_id,
        redirect_uris=[AnyUrl(uri) for uri in redirect_uris],
        token_endpoint_auth_method=method,
        scope=SCOPE,
    )
