"""The guard against requests into the server's own network (SSRF): which addresses are public."""

import pytest
from bitrix24_chat_mcp.portal.api.errors import ConfigurationError, PortalError
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.ssrf_guard import is_public
from support.wire import served


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "192.0.1.1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2606:4700::1111",
        "2a00:1450:4010:c0f::65",
    ],
)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "64:ff9b:1:a00:0:100::",
        "100::1",
        "2001::1",
        "2001:0:808:808::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


async def test_the_guard_is_in_force_on_every_connection() -> None:
    async with served(b"{}") as wire:
        http_client = HttpClient(timeout=2, named=[])
        for host in ("127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"):
            with pytest.raises(PortalError):
                await http_client.get(wire.origin.replace("127.0.0.1", host))
        await http_client.aclose()
        assert not wire.asked


async def test_a_named_host_is_asked_over_the_guarded_connection() -> None:
    async with served(b'{"answer": 42}') as wire:
        http_client = HttpClient(timeout=2, named=["127.0.0.1"])
        assert bytes((await http_client.get(wire.origin)).body) == b'{"answer": 42}'
        with pytest.raises(ConfigurationError, match="ADDRESS_INSIDE"):
            await http_client.get(wire.origin.replace("127.0.0.1", "localhost"))
        await http_client.aclose()


@pytest.mark.parametrize(
    "address", ["https://999.1.1.1/d", "https://[::1/d", "https://a\\b/d", "https://a b/"]
)
async def test_an_address_that_is_none_is_an_error_in_a_sentence(address: str) -> None:
    http_client = HttpClient(timeout=2, named=[])
    with pytest.raises(PortalError):
        await http_client.get(address)
    await http_client.aclose()


async def test_errors_of_guarded_connections_are_told_as_those_of_any_other() -> None:
    async with served(b"{}") as wire:
        pass  # nobody listens there any more
    http_client = HttpClient(timeout=2, named=["127.0.0.1"])
    with pytest.raises(PortalError, match="CONNECTION_REFUSED"):
        await http_client.get(wire.origin)
    await http_client.aclose()
