"""Keeps requests out of the network that this server stands in.

An address that somebody else may choose (a caller's portal, a client's metadata document) must not lead to
a machine that only we can reach. The check is made on the very addresses that are connected to, so that a
name cannot mean one thing when it is looked at and another when it is used.
"""

import ipaddress
import socket
from collections.abc import Collection, Iterable

import anyio
import httpcore

from .errors import UnusableRequestError

Options = Iterable[httpcore.SOCKET_OPTION]


class Guard(httpcore.AsyncNetworkBackend):
    """Connects to public addresses, and to the hosts that were `named`, wherever those are."""

    def __init__(self, named: Collection[str]) -> None:
        self._named = frozenset(name.lower() for name in named)
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue] - a stub

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Options | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers."""
        failure = httpcore.ConnectError("The name has no address.")
        for address in [host] if host.lower() in self._named else await _public_addresses(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Options | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: nothing public is there."""
        del path, timeout, socket_options
        raise _inside()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await anyio.sleep(seconds)


async def _public_addresses(host: str, port: int) -> list[str]:
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    addresses = [str(info[4][0]) for info in found]
    if not all(map(is_public, addresses)):
        raise _inside()
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open Internet, whatever it is wrapped in."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        wrapped = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in _TRANSLATED:
            wrapped = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if wrapped:
            return is_public(str(wrapped))
    return found.is_global and not found.is_multicast


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind NAT64


def _inside() -> UnusableRequestError:
    return UnusableRequestError(
        "ADDRESS_INSIDE",
        "The address lies inside the network of this server, and is not one it may call.",
        "Ask the person who runs this server to name the host in its settings, if it is right.",
    )
