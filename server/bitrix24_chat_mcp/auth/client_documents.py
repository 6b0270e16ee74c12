"""Client metadata documents: a client's id is the address of the document that describes it.

Strangers choose what is fetched. So a fetch takes ten seconds at most and is cancelled when no request waits
for it any more; and when one host or one requester has too many under way, the oldest is cancelled.
"""

import asyncio
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio
from cachetools import TTLCache
from mcp.shared.auth import OAuthClientInformationFull

from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient

from . import redirect_uris

DEADLINE = 10.0
"""Seconds for a whole fetch."""
FRESH, MISSING = 3600.0, 60.0
"""Seconds for which a document, or that there is none, is remembered."""
MOST_REMEMBERED = 1000
MOST_OF_HOST, MOST_OF_REQUESTER, MOST = 4, 16, 64
"""Fetches under way: of one host, for one network address, and at all."""
_ADDRESS = re.compile(r"[!-~]{1,2048}")
_LONGEST_HOST = 253
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


@dataclass(eq=False, slots=True)
class _Fetch:
    """A fetch under way, the network that asked for it, and how many requests wait for it."""

    address: str
    host: str
    requester: str
    task: asyncio.Task[None]
    waiting: int = 0


class ClientDocuments:
    """Fetches documents, and remembers the redirect URIs that stand there."""

    def __init__(self, http_client: HttpClient) -> None:
        self._http_client = http_client
        self._found: TTLCache[str, list[str]] = TTLCache(MOST_REMEMBERED, FRESH, anyio.current_time)
        self._missing: TTLCache[str, None] = TTLCache(MOST_REMEMBERED, MISSING, anyio.current_time)
        self._running: dict[str, _Fetch] = {}

    def redirect_uris(self, address: str) -> list[str] | None:
        """Return what a document that was fetched says, or None."""
        return self._found.get(address)

    async def fetch(self, address: str, requester: str) -> None:
        """Fetch a document, or wait for the fetch under way; an invalid document counts as missing."""
        if address in self._found or address in self._missing:
            return
        fetch = self._running.get(address) or self._start(address, requester)
        fetch.waiting += 1
        try:
            await asyncio.wait([fetch.task])
        finally:
            fetch.waiting -= 1
            if not fetch.waiting:
                self._end(fetch)

    def _start(self, address: str, requester: str) -> _Fetch:
        host = urlsplit(address).hostname or ""
        self._make_room([one for one in self._running.values() if one.host == host], MOST_OF_HOST)
        own = [one for one in self._running.values() if one.requester == requester]
        self._make_room(own, MOST_OF_REQUESTER)
        self._make_room(list(self._running.values()), MOST)
        task = asyncio.create_task(self._fetch(address))
        fetch = self._running[address] = _Fetch(address, host, requester, task)
        return fetch

    def _make_room(self, running: list[_Fetch], most: int) -> None:
        """If there are too many, cancel the oldest fetch of the requester with the most."""
        if len(running) >= most:
            requesters = [one.requester for one in running]
            busiest = max(requesters, key=requesters.count)
            self._end(running[requesters.index(busiest)])

    def _end(self, fetch: _Fetch) -> None:
        if self._running.get(fetch.address) is fetch:
            del self._running[fetch.address]
        fetch.task.cancel()

    async def _fetch(self, address: str) -> None:
        found: list[str] = []
        with anyio.move_on_after(DEADLINE):
            found = await self._read(address)
        if found:
            self._found[address] = found
        else:
            self._missing[address] = None

    async def _read(self, address: str) -> list[str]:
        try:
            response = await self._http_client.get(address)
            client = OAuthClientInformationFull.model_validate_json(bytes(response.body))
        except (PortalError, ValueError):  # no document, not JSON, or Punycode that means nothing
            return []
        has_secret = client.client_secret or client.token_endpoint_auth_method not in {None, "none"}
        if response.status != 200 or client.client_id != address or has_secret:  # noqa: PLR2004
            return []
        uris = client.redirect_uris
        return [] if redirect_uris.problems(uris) else [str(uri) for uri in uris or []]


def is_document(client_id: str) -> bool:
    """Tell whether an id is the address of a document that describes the client."""
    if not _ADDRESS.fullmatch(client_id) or "\\" in client_id:
        return False
    try:
        parts = urlsplit(client_id)
        odd = parts.port == 0 or parts.username is not None or parts.fragment or parts.query
    except ValueError:
        return False
    steps = parts.path.split("/")
    return (
        parts.scheme == "https"
        and not odd
        and _is_host(parts.hostname or "", bracketed="[" in parts.netloc)
        and len(parts.path) > 1
        and not {".", ".."} & set(steps)
    )


def _is_host(host: str, *, bracketed: bool) -> bool:
    """Tell whether a host is an IP address, or a name that cannot be mistaken for one."""
    try:
        return (ipaddress.ip_address(host).version == 6) == bracketed and "%" not in host  # noqa: PLR2004
    except ValueError:
        labels = host.split(".")
    named = len(host) <= _LONGEST_HOST and all(map(_LABEL.fullmatch, labels))
    return named and not bracketed and labels[-1][0].isalpha()
