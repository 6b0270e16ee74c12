"""Clients that are described by a document at their own address, and addresses that are not asked."""

from typing import Any

import httpx
import pytest
from bitrix24_chat_mcp.auth.client_documents import is_document
from bitrix24_chat_mcp.portal.api.errors import ConfigurationError
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.portal.transport.ssrf_guard import PublicNetworkBackend, is_public
from bitrix24_demo_portal import DemoPortal
from support.team import BACK, Person, Serve, assistant

ADDRESS = "https://assistant.example/client.json"
DOCUMENT: dict[str, Any] = {"client_id": ADDRESS, "client_name": "Bank of Trust", "redirect_uris": [BACK]}


def library(document: object, status: int = 200, **headers: str) -> HttpClient:
    """A network that holds one document."""

    def answer(request: httpx.Request) -> httpx.Response:
        known = str(request.url) == ADDRESS
        return httpx.Response(status if known else 404, json=document, headers=headers)

    return HttpClient(transport=lambda: httpx.MockTransport(answer), max_bytes=65_536)


async def test_a_client_with_a_document_signs_its_user_in_without_registering(
    serve: Serve, portal: DemoPortal
) -> None:
    person = Person(portal, 7)
    async with (
        serve(auth=["bitrix24"], documents=library(DOCUMENT)) as base,
        assistant(base, person, document=ADDRESS) as client,
    ):
        assert not (await client.call_tool("list_recent_chats")).is_error
    assert portal.requests[-1].user == 7


async def authorize(base: str, redirect: str = BACK, client_id: str = ADDRESS) -> httpx.Response:
    asked = {
        "client_id": client_id,
        "response_type": "code",
        "code_challenge": "c" * 43,
        "redirect_uri": redirect,
    }
    async with httpx.AsyncClient(base_url=base) as http:
        response = await http.get("/authorize", params=asked)
        return await http.get(response.headers["location"]) if response.is_redirect else response


async def test_people_see_the_host_of_a_document_and_not_the_name_it_gives_itself(serve: Serve) -> None:
    async with serve(auth=["bitrix24"], documents=library(DOCUMENT)) as base:
        page = await authorize(base)
    assert "assistant.example" in page.text
    assert "Bank of Trust" not in page.text


async def test_a_program_at_a_loopback_address_may_take_any_port(serve: Serve) -> None:
    async with serve(auth=["bitrix24"], documents=library(DOCUMENT)) as base:
        assert (await authorize(base, "http://127.0.0.1:51234/back")).status_code == 200
        assert (await authorize(base, "http://127.0.0.1:51234/elsewhere")).status_code == 400
        assert (await authorize(base, "http://localhost:9/back")).status_code == 400


@pytest.mark.parametrize(
    "documents",
    [
        library({**DOCUMENT, "client_id": "https://other.example/client.json"}),
        library({**DOCUMENT, "redirect_uris": []}),
        library({**DOCUMENT, "redirect_uris": ["http://evil.example/"]}),
        library({**DOCUMENT, "client_secret": "s3cr3t"}),
        library({**DOCUMENT, "token_endpoint_auth_method": "private_key_jwt"}),
        library(["no", "document"]),
        library({**DOCUMENT, "padding": "x" * 70_000}),
        library(DOCUMENT, 302, location="http://169.254.169.254/"),
        library(DOCUMENT, 500),
    ],
)
async def test_a_bad_document_makes_no_client(serve: Serve, documents: HttpClient) -> None:
    async with serve(auth=["bitrix24"], documents=documents) as base:
        assert (await authorize(base)).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "http://assistant.example/client.json",
        "https://assistant.example/",
        "https://assistant.example",
        "https://me@assistant.example/client.json",
        "https://assistant.example/client.json#part",
        "https://assistant.example/../client.json",
        "https:///client.json",
        "https://[broken/client.json",
    ],
)
def test_what_is_no_address_of_a_document_is_not_asked(address: str) -> None:
    assert not is_document(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost", "[::ffff:10.0.0.1]", "[fe80::1]"],
)
async def test_addresses_inside_the_network_are_not_connected_to(host: str) -> None:
    http_client = HttpClient(timeout=2, named=["portal.example"])
    with pytest.raises(ConfigurationError, match="ADDRESS_INSIDE"):
        await http_client.get(f"https://{host}/client.json")
    await http_client.aclose()


async def test_a_named_host_may_lie_inside(serve: Serve) -> None:
    async with serve(auth=["bitrix24"]) as base:
        http_client = HttpClient(timeout=2, named=["127.0.0.1"])
        assert (await http_client.get(f"{base}/healthz")).status == 200
        await http_client.aclose()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("::", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
    ],
)
def test_an_address_is_public_or_not_whatever_it_is_wrapped_in(address: str, *, public: bool) -> None:
    assert is_public(address) is public


async def test_the_guard_has_no_back_door() -> None:
    guard = PublicNetworkBackend([])
    with pytest.raises(ConfigurationError):
        await guard.connect_unix_socket("/run/secret.sock")
    with pytest.raises(ConfigurationError):
        await guard.connect_tcp("127.0.0.1", 22)
