"""Where a portal lives now: it may answer that it has moved, and is followed to where it is safe.

The credentials go with the request, so the new address must be https (on this machine plain http will
do) and belong to whom the old one belonged: its registrable domain must be the same, by the public
suffix list, or the person who runs the server has listed the host. `bitrix24.ru` and its sisters are not
on that list, so a portal may move from one name to another under `bitrix24.ru`, as the cloud does when a
customer renames it. The neighbour there is another customer, but it is Bitrix24 itself who answers for
all of these names, over a verified connection, and who reads the credentials under either. Hosts where
customers run servers of their own are on the list (`github.io`, dynamic DNS), and are kept apart.

A move is a redirect to the same path of another origin. It is remembered after the new place has answered
as a REST API does, for an hour, and only for the credentials that were redirected: what one caller is told
sends nobody else's secret anywhere.
"""

import logging
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.credentials import Credentials, is_listed, is_loopback
from bitrix24_chat_mcp.portal.api.errors import InvalidResponseError, RedirectedError, UnreachableError
from bitrix24_chat_mcp.portal.api.rest import ApiResult

from .call_context import current_call
from .clock import now
from .flight import Flight
from .limits import Limits
from .retry import Send

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_log = logging.getLogger(__name__)
_REMEMBERED, _SECONDS = 1000, 3600.0


@dataclass(frozen=True, slots=True)
class RedirectedCredentials:
    """Somebody's credentials, at the portal's new address."""

    credentials: Credentials
    portal: str

    @property
    def user(self) -> str:
        """The user's number or login."""
        return self.credentials.user

    def address(self, method: str) -> str:
        """Return the address of a method at the new place."""
        return self.portal + self.credentials.address(method).removeprefix(self.credentials.portal)

    def headers(self) -> dict[str, str]:
        """Return the same headers."""
        return self.credentials.headers()

    def signing_key(self) -> bytes:
        """Return the same key: the user has not changed."""
        return self.credentials.signing_key()


class RedirectFollower:
    """Redirects requests to portals that have moved, each caller's by what that caller was told."""

    def __init__(self, leg: Send, limits: Limits) -> None:
        self._leg = leg
        self._hosts = {host.lower() for host in limits.moves_to}
        self._portals = limits.portals
        self._moved: TTLCache[Credentials, RedirectedCredentials] = TTLCache(_REMEMBERED, _SECONDS, timer=now)

    async def __call__(self, flight: Flight) -> ApiResult:
        """Send a request to where its portal lives; direct it to a new place that may be followed to."""
        asked = self._moved.get(flight.request.credentials, flight.request.credentials)
        self._direct(flight, asked)
        try:
            answer = await self._leg(flight)
        except RedirectedError as moved:
            self._follow(flight, asked, moved)
            raise
        except (UnreachableError, InvalidResponseError):
            if isinstance(asked, RedirectedCredentials):
                self._moved.pop(asked.credentials, None)
            raise
        if isinstance(asked, RedirectedCredentials):
            self._remember(asked)
        return answer

    def _follow(self, flight: Flight, asked: Credentials, moved: RedirectedError) -> None:
        there = self._destination(asked.portal, moved.origin)
        if there:
            original = asked.credentials if isinstance(asked, RedirectedCredentials) else asked
            self._direct(flight, RedirectedCredentials(original, there))
            moved.followed()

    def _direct(self, flight: Flight, credentials: Credentials) -> None:
        if flight.request.credentials is not credentials:
            flight.request = replace(flight.request, credentials=credentials)

    def _destination(self, portal: str, origin: str) -> str | None:
        """Return the portal's new origin and base path, None where it must not be followed."""
        here = urlsplit(portal)
        try:
            there = urlsplit(origin)
            port = there.port
        except ValueError:
            return None
        host = there.hostname or ""
        netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        new = f"{there.scheme}://{netloc}{here.path}"
        if new == portal or not netloc or not self._safe(here.hostname or "", there):
            return None
        listed = host in self._hosts or not self._portals or is_listed(netloc, self._portals)
        return new if listed else None

    def _safe(self, here: str, there: SplitResult) -> bool:
        host = there.hostname or ""
        if there.scheme != "https" and not (
            there.scheme == "http" and is_loopback(host) and is_loopback(here)
        ):
            return False
        return host in self._hosts or host == here or _registrable(host) == _registrable(here)

    def _remember(self, moved: RedirectedCredentials) -> None:
        original = moved.credentials
        if self._moved.get(original) == moved:
            return
        self._moved[original] = moved
        note = f"The portal {original.portal} has moved to {moved.portal}; webhook_url has its old address"
        _log.warning(note)
        call = current_call()
        if call:
            call.notes.append(note)


@cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - read only when a portal moves

    return PublicSuffixList()


def _registrable(host: str) -> str:
    if not host.rpartition(".")[2].isalpha():  # an address has no domain
        return host
    return _suffixes().privatesuffix(host) or host
