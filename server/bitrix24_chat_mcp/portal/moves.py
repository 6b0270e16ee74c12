"""Where a portal lives now: it may answer that it has moved, and is followed to where it is safe.

The credentials go with the request, so the new address must be https (on this machine plain http will
do) and belong to whom the old one belonged: its registrable domain must be the same, by the public
suffix list, or the person who runs the server has listed the host. `bitrix24.ru` and its sisters are not
on that list, so a portal may move from one name to another under `bitrix24.ru`, as the cloud does when a
customer renames it. The neighbour there is another customer, but it is Bitrix24 itself who answers for
all of these names, over a verified connection, and who reads the credentials under either. Hosts where
customers run servers of their own are on the list (`github.io`, dynamic DNS), and are kept apart.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from .auth import Credentials, is_loopback
from .call import current_call
from .errors import MovedError
from .flight import Flight
from .limits import Limits
from .rest import Answer
from .retry import Leg

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Relocated:
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

    def seal(self) -> bytes:
        """Return the same key: the user has not changed."""
        return self.credentials.seal()


class Moves:
    """Redirects requests to portals that have moved. What it learns it knows for the process."""

    def __init__(self, leg: Leg, limits: Limits) -> None:
        self._leg = leg
        self._listed = {host.lower() for host in limits.moves_to}
        self._portals: dict[str, str] = {}

    async def __call__(self, flight: Flight) -> Answer:
        """Send a request to where its portal lives; mark a move that may be followed as such."""
        asked = self._current(flight.request.credentials)
        if asked is not flight.request.credentials:
            flight.request = replace(flight.request, credentials=asked)
        with self._learning(asked):
            return await self._leg(flight)

    def _current(self, credentials: Credentials) -> Credentials:
        portal = credentials.portal
        while portal in self._portals:
            portal = self._portals[portal]
        if portal == credentials.portal:
            return credentials
        original = credentials.credentials if isinstance(credentials, Relocated) else credentials
        return Relocated(original, portal)

    @contextmanager
    def _learning(self, asked: Credentials) -> Generator[None]:
        try:
            yield
        except MovedError as moved:
            there = self._destination(asked.portal, moved.location)
            if there:
                self._remember(asked.portal, there)
                moved.followed()
            raise

    def _destination(self, portal: str, location: str) -> str | None:
        """Return the portal's new origin and base path, None where it must not be followed."""
        here = urlsplit(portal)
        try:
            there = urlsplit(location)
            port = there.port
        except ValueError:
            return None
        host = there.hostname or ""
        netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        origin = f"{there.scheme}://{netloc}{here.path}"
        if origin == portal or not self._safe(here.hostname or "", there):
            return None
        return origin

    def _safe(self, here: str, there: SplitResult) -> bool:
        host = there.hostname or ""
        if there.scheme != "https" and not (
            there.scheme == "http" and is_loopback(host) and is_loopback(here)
        ):
            return False
        return host in self._listed or host == here or _registrable(host) == _registrable(here)

    def _remember(self, portal: str, there: str) -> None:
        if self._portals.get(portal) == there:
            return
        self._portals[portal] = there
        self._portals.pop(there, None)  # where it lives now it has not left: the chain has an end
        note = f"The portal {portal} has moved to {there}; webhook_url has its old address"
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
