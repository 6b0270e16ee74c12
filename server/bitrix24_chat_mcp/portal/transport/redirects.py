"""Follows a portal that answers from another address, where its credentials are safe.

The credentials travel with the request, so the new address must be https (plain http between loopback
addresses), and must have the owner of the old one: the same registrable domain by the public suffix list, or
a host that the operator has listed. `bitrix24.ru` and its sisters are not on that list, so a portal may move
from one name under `bitrix24.ru` to another, as the cloud does when a customer renames it. The neighbour
there is another customer, but Bitrix24 itself answers for all of these names, over a verified connection,
and reads the credentials under either. Hosts where customers run servers of their own (`github.io`, dynamic
DNS) are on the list, and are kept apart.

A redirect to the same path of another origin is remembered for an hour once the new address has answered as
a REST API does, and only for the credentials that were redirected: what one caller's portal says sends no
other caller's secret anywhere.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import anyio
from cachetools import TTLCache

from bitrix24_chat_mcp.portal.api.credentials import Credentials, is_listed, is_loopback
from bitrix24_chat_mcp.portal.api.errors import InvalidResponseError, RedirectedError, UnreachableError
from bitrix24_chat_mcp.portal.api.rest import ApiResult

from .call_context import add_notice
from .outgoing import Outgoing, Redirected, Stage

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_log = logging.getLogger(__name__)
_REMEMBERED, _SECONDS = 1000, 3600.0


@dataclass(frozen=True, slots=True)
class RedirectedCredentials:
    """A user's credentials at the portal's new address."""

    credentials: Credentials
    portal: str

    @property
    def user(self) -> str:
        """The user's number or login."""
        return self.credentials.user

    def address(self, method: str) -> str:
        """Return the address of a method at the portal's new address."""
        return self.portal + self.credentials.address(method).removeprefix(self.credentials.portal)

    def headers(self) -> dict[str, str]:
        """Return the same headers."""
        return self.credentials.headers()

    def signing_key(self) -> bytes:
        """Return the same key: the user has not changed."""
        return self.credentials.signing_key()


class RedirectFollower:
    """Sends requests to the portal's present address, as far as each caller's own portal has told it.

    `allowed` are hosts that any portal may redirect to; `portals`, if any are given, are the only others.
    """

    def __init__(self, send: Stage, allowed: Collection[str], portals: Collection[str]) -> None:
        self._send = send
        self._allowed = {host.lower() for host in allowed}
        self._portals = portals
        self._redirects: TTLCache[Credentials, RedirectedCredentials] = TTLCache(
            _REMEMBERED, _SECONDS, timer=anyio.current_time
        )

    async def __call__(self, outgoing: Outgoing) -> ApiResult:
        """Send a request; raise Redirected where the portal names another address that is safe."""
        credentials = self._redirects.get(outgoing.request.credentials, outgoing.request.credentials)
        known = isinstance(credentials, RedirectedCredentials)
        original = credentials.credentials if known else credentials
        if known:
            outgoing = replace(outgoing, request=replace(outgoing.request, credentials=credentials))
        try:
            answer = await self._send(outgoing)
        except RedirectedError as error:
            if portal := self._destination(credentials.portal, error.origin):
                raise Redirected(RedirectedCredentials(original, portal)) from None
            raise
        except (UnreachableError, InvalidResponseError):
            self._redirects.pop(original, None)
            raise
        if known:
            self._remember(credentials)
        return answer

    def _destination(self, portal: str, origin: str) -> str | None:
        """Return the portal's new origin and base path, or None where it must not be followed."""
        old = urlsplit(portal)
        try:
            new = urlsplit(origin)
            port = new.port
        except ValueError:
            return None
        host = new.hostname or ""
        netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        address = f"{new.scheme}://{netloc}{old.path}"
        if address == portal or not netloc or not self._is_safe(old.hostname or "", new):
            return None
        listed = host in self._allowed or not self._portals or is_listed(netloc, self._portals)
        return address if listed else None

    def _is_safe(self, old: str, new: SplitResult) -> bool:
        host = new.hostname or ""
        local = new.scheme == "http" and is_loopback(host) and is_loopback(old)
        if new.scheme != "https" and not local:
            return False
        return host in self._allowed or host == old or _registrable(host) == _registrable(old)

    def _remember(self, redirected: RedirectedCredentials) -> None:
        original = redirected.credentials
        if self._redirects.get(original) == redirected:
            return
        self._redirects[original] = redirected
        notice = (
            f"The portal {original.portal} has moved to {redirected.portal}; webhook_url has its old address"
        )
        _log.warning(notice)
        add_notice(notice)


@cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - needed only after a redirect

    return PublicSuffixList()


def _registrable(host: str) -> str:
    if not host.rpartition(".")[2].isalpha():  # an IP address has no domain
        return host
    return _suffixes().privatesuffix(host) or host
