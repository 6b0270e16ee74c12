"""Keeps requests out of the network that this server stands in.

An address that somebody else may choose (a caller's portal, a client's metadata document) must not lead to
a machine that only we can reach. The check is made on the very addresses that are connected to, so that a
name cannot mean one thing when it is looked at and another when it is used.
"""

import ipaddress
import socket
from collections.abc import AsyncIterator, Collection, Generator, Iterable
from contextlib import contextmanager

import anyio
import httpcore
import httpx

from bitrix24_chat_mcp.portal.api.errors import ConfigurationError

Options = Iterable[httpcore.SOCKET_OPTION]


class PublicNetworkBackend(httpcore.AsyncNetworkBackend):
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
        named = host.lower() in self._named
        for address in [host] if named else await _public_addresses(host, port, timeout):
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


class PublicTransport(httpx.AsyncBaseTransport):
    """Sends httpx's requests over a connection pool of ours.

    httpx's own transport has no setting for what makes its connections; the pool below it has.
    """

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the response with its body unread."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        with _as_httpx():
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(response.status, headers=response.headers, stream=_Stream(response))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _as_httpx() -> Generator[None]:
    """Raise the pool's errors as those of the same names that httpx raises."""
    try:
        yield
    except _FAILURES as error:
        raise getattr(httpx, type(error).__name__, httpx.TransportError)(str(error)) from error


_FAILURES = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


async def _public_addresses(host: str, port: int, timeout: float | None) -> list[str]:  # noqa: ASYNC109
    try:
        with anyio.fail_after(timeout):
            found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise httpcore.ConnectTimeout from None
    except (OSError, UnicodeError):
        return []
    addresses = [str(info[4][0]) for info in found]
    if not all(map(is_public, addresses)):
        raise _inside()
    return addresses[:_TRIED]


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open Internet, whatever it is wrapped in."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and found not in _RELAYS
    if found.ipv4_mapped or found in _TRANSLATED:
        return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found in _UNICAST and not any(found in network for network in _SPECIAL)


_TRIED = 4
"""Addresses of one name that are tried, one after the other."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 behind NAT64, RFC 6052
_RELAYS = ipaddress.ip_network("192.88.99.0/24")  # 6to4 relays, RFC 7526; Python counts them as global
# All of IPv6 that is handed out (RFC 4291, IANA's registry), and what in it is not for the open Internet.
_UNICAST = ipaddress.ip_network("2000::/3")
_SPECIAL = [
    ipaddress.ip_network(network)
    for network in (
        "2001::/23",  # protocols: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",  # documentation
    )
]


def _inside() -> ConfigurationError:
    return ConfigurationError(
        "ADDRESS_INSIDE",
        "The address lies inside the network of this server, and is not one it may call.",
        "Ask the person who runs this server to name the host in its settings, if it is right.",
    )
