"""The programs that people let in: registered here, or described by a document at their own address."""

import re
from collections import OrderedDict
from urllib.parse import urlsplit

import anyio
from mcp.server.auth.provider import RegistrationError
from mcp.shared.auth import InvalidRedirectUriError, OAuthClientInformationFull
from pydantic import AnyUrl, ValidationError

from bitrix24_chat_mcp.portal.auth import is_loopback
from bitrix24_chat_mcp.portal.carrier import Carrier
from bitrix24_chat_mcp.portal.errors import PortalError
from bitrix24_chat_mcp.portal.store import Store

SCOPE = "chats"
"""The one permission: to see the user's chats, and to change how the user sees them."""
MOST_KNOWN = 1000
_FETCHES = 4
_MOST_RETURNS = 10
_MOST_SAID = 16_384
_FRESH = 3600.0
_NO_PAGE = re.compile(r"javascript|data|file|vbscript|blob|about|view-source")


class Client(OAuthClientInformationFull):
    """A client with the only scope there is; its loopback addresses are good at any port."""

    def validate_scope(self, requested_scope: str | None) -> list[str]:
        """Grant the scope that there is, whatever more was asked for."""
        del requested_scope
        return [SCOPE]

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        """Return the address to go back to; at a loopback address native programs take any free port."""
        known = self.redirect_uris or []
        if redirect_uri and any(_same(redirect_uri, one) for one in known):
            return redirect_uri
        if redirect_uri is None and len(known) == 1:
            return known[0]
        raise InvalidRedirectUriError("redirect_uri is not one of the client's")

    @property
    def shown(self) -> str:
        """What people know the client by: its address if that describes it, else the name it gave."""
        host = urlsplit(self.client_id).hostname if is_document(self.client_id) else None
        return host or (self.client_name or "A program without a name")[:80]


class Clients:
    """Finds clients by their id. Registered ones are remembered for good when somebody lets them in."""

    def __init__(self, store: Store, documents: Carrier) -> None:
        self._store = store
        self._documents = documents
        self._known: OrderedDict[str, tuple[Client, float]] = OrderedDict()
        self._fetching = anyio.Semaphore(_FETCHES)

    async def find(self, client_id: str) -> Client | None:
        """Return the client, or None if there is none of that id."""
        client, at = self._known.get(client_id, (None, 0.0))
        if is_document(client_id):
            if client and anyio.current_time() - at < _FRESH:
                return client
            return await self._fetch(client_id)
        if client:
            return client
        kept = self._store.load(f"client:{client_id}")
        return Client.model_validate_json(kept) if kept else None

    def register(self, asked: OAuthClientInformationFull) -> None:
        """Remember a client that has registered; raise RegistrationError where it goes too far."""
        client = Client.model_validate(asked.model_dump())
        if complaint := _complaint(client):
            raise RegistrationError("invalid_redirect_uri", complaint)
        self._remember(client)

    def keep(self, client_id: str) -> None:
        """Keep a registered client beyond this process: somebody has let it in."""
        client, _ = self._known.get(client_id, (None, 0.0))
        if client and not is_document(client_id):
            self._store.save(f"client:{client_id}", client.model_dump_json(exclude_none=True))

    async def _fetch(self, address: str) -> Client | None:
        try:
            async with self._fetching:
                reply = await self._documents.get(address)
            client = Client.model_validate_json(bytes(reply.body))
        except (PortalError, ValidationError):
            return None
        secretive = client.client_secret or client.token_endpoint_auth_method not in {None, "none"}
        if reply.status != 200 or client.client_id != address or secretive or _complaint(client):  # noqa: PLR2004
            return None
        client = client.model_copy(update={"token_endpoint_auth_method": "none"})
        self._remember(client)
        return client

    def _remember(self, client: Client) -> None:
        self._known[client.client_id] = (client, anyio.current_time())
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def is_document(client_id: str) -> bool:
    """Tell whether an id is the address of a document that describes the client."""
    try:
        parts = urlsplit(client_id)
        bad = parts.username is not None or parts.fragment or parts.query or not parts.hostname
    except ValueError:
        return False
    steps = parts.path.split("/")
    return parts.scheme == "https" and not bad and len(parts.path) > 1 and not {".", ".."} & set(steps)


def _complaint(client: Client) -> str:
    returns = client.redirect_uris or []
    if len(client.model_dump_json()) > _MOST_SAID:
        return f"more than {_MOST_SAID} bytes are too many"
    if not 1 <= len(returns) <= _MOST_RETURNS:
        return f"between 1 and {_MOST_RETURNS} redirect_uris are needed"
    for one in returns:
        host = (one.host or "").strip("[]")
        if one.fragment or _NO_PAGE.fullmatch(one.scheme) or (one.scheme == "http" and not is_loopback(host)):
            return "redirect_uris must be https, a program's own scheme, or http at a loopback address"
    return ""


def _same(asked: AnyUrl, known: AnyUrl) -> bool:
    if asked == known:
        return True
    loopback = asked.scheme == known.scheme == "http" and is_loopback((known.host or "").strip("[]"))
    return loopback and (asked.host, asked.path, asked.query) == (known.host, known.path, known.query)
