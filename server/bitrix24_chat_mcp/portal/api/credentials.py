"""Credentials: whose request it is.

A webhook address is `https://PORTAL/rest/USER/CODE/`. The code is a password: it is part of the address
that the HTTP client calls, and of nothing that is printed, logged or answered.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol
from urllib.parse import urlsplit

from .known_secrets import known


class Credentials(Protocol):
    """What a request needs to be made on a user's behalf."""

    @property
    def portal(self) -> str:
        """The portal's origin, `https://acme.bitrix24.com`, without a slash at its end."""
        ...

    @property
    def user(self) -> str:
        """The user's number or login at the portal; empty where it is not known."""
        ...

    def address(self, method: str) -> str:
        """Return the address of a method. It may hold a secret."""
        ...

    def headers(self) -> dict[str, str]:
        """Return the headers that authenticate the user. They may hold a secret."""
        ...

    def signing_key(self) -> bytes:
        """Return this user's key, at most 64 bytes, to sign values that a client keeps and sends back."""
        ...


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Webhook:
    """An incoming webhook: one user of one portal."""

    portal: str
    user: str
    code: str = field(repr=False)

    def __post_init__(self) -> None:
        known.register(self, self.code)

    def address(self, method: str) -> str:
        """Return the address of a method; it holds the code."""
        return f"{self.portal}/rest/{self.user}/{self.code}/{method}"

    def headers(self) -> dict[str, str]:
        """Return no headers: the code in the address authenticates the user."""
        return {}

    def signing_key(self) -> bytes:
        """Return a key derived from the code, so that it stays the same after a restart."""
        return blake2b(f"{self.portal} {self.user} {self.code}".encode(), person=b"seal").digest()


_HOST = re.compile(r"[\w.-]{1,253}|[0-9A-Fa-f:.]{2,45}")
# The user may be a login. After the code, users also paste a method that they tried in a browser.
# No segment is `.` or `..`: the HTTP library would resolve it, and call another path than this.
_PATH = re.compile(
    r"(?P<base>(?:/(?!\.{1,2}/)[\w.~-]{1,100}){0,5})"
    r"/rest/(?!\.{1,2}/)(?P<user>[\w.@-]{1,100})/(?P<code>[A-Za-z0-9]{1,100})(?:/\w[\w.]{0,100})?/?"
)


def parse_webhook(address: str) -> Webhook:
    """Parse a webhook address; raise ValueError with a sentence that repeats no part of it."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        raise ValueError("it is not a web address") from None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or parts.username is not None:
        raise ValueError("it does not have the form https://PORTAL/rest/USER/CODE/")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("it must begin with https:// (plain http is for loopback addresses only)")
    path = _PATH.fullmatch(parts.path)
    if path is None or parts.query or parts.fragment:
        raise ValueError("it does not have the form https://PORTAL/rest/USER/CODE/")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    return Webhook(f"{parts.scheme}://{netloc}{path['base']}", path["user"], path["code"])


def is_listed(netloc: str, patterns: Collection[str]) -> bool:
    """Return whether a host, with its port if it has one, is listed; `*.` stands for one label."""
    return any(
        netloc == pattern
        or (pattern.startswith("*.") and netloc.partition(".")[2] == pattern[2:] and netloc[0] != ".")
        for pattern in patterns
    )


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
