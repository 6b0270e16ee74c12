"""A second opinion: the vendor's own SDK talks to the portal, over TLS on a real socket."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from anyio.to_thread import run_sync
from b24pysdk import (  # pyright: ignore[reportMissingTypeStubs]
    BitrixApp,
    BitrixToken,
    BitrixWebhook,
    Client,  # pyright: ignore[reportUnknownVariableType]
)
from b24pysdk.errors import BitrixAPIError  # pyright: ignore[reportMissingTypeStubs]
from bitrix24_demo_portal import DemoPortal, Fault
from bitrix24_demo_portal.asgi.server import serving
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key; the SDK speaks nothing but https."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    pem = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return pem


@pytest.fixture
async def domain(
    portal: DemoPortal, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[str]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "localhost")
    async with serving(portal, tls=certificate) as base:
        yield base.replace("https://127.0.0.1", "localhost")


@pytest.fixture
def sdk(portal: DemoPortal, domain: str) -> Any:
    secret = "/".join(portal.webhook(base="").strip("/").split("/")[1:])
    return Client(BitrixWebhook(domain=domain, webhook_token=secret))


Ask = Callable[[], Any]


async def result(request: Ask) -> Any:
    return await run_sync(lambda: request().result)


async def test_lists_and_pins(sdk: Any, portal: DemoPortal) -> None:
    items = await result(partial(sdk.im.recent.get, skip_openlines=True, skip_chat=True))
    assert {item["type"] for item in items} == {"chat", "user"}
    assert portal.requests[-1].params == {"SKIP_OPENLINES": "Y", "SKIP_CHAT": "Y"}
    page = await result(partial(sdk.im.recent.list, limit=5))
    assert len(page["items"]) == 7
    assert await result(partial(sdk.im.recent.pin, dialog_id="chat1217", pin=True)) is True
    assert 1217 in [row.chat.id for row in portal.world.pins(1)]
    assert await result(partial(sdk.im.recent.pin, dialog_id="chat1217", pin=False)) is True
    assert 1217 not in [row.chat.id for row in portal.world.pins(1)]


async def test_marks_counters_and_dialogs(sdk: Any) -> None:
    assert await result(partial(sdk.im.recent.unread, dialog_id="chat1217", action=True)) is True
    assert await result(partial(sdk.im.recent.hide, dialog_id="chat1217")) is True
    assert await result(partial(sdk.im.chat.mute, chat_id=1201, mute=True)) is True
    assert (await result(sdk.im.counters.get))["CHAT_MUTED"]["1201"] == 3
    assert (await result(partial(sdk.im.dialog.get, dialog_id="chat1201")))["id"] == 1201
    assert (await result(partial(sdk.im.dialog.messages.get, dialog_id="chat1201")))["chat_id"] == 1201
    assert await result(sdk.im.dialog.read.all) is True


async def test_searches_and_questions_about_oneself(sdk: Any) -> None:
    assert "5" in await result(partial(sdk.im.search.user.list, find="Орлов"))
    assert await result(partial(sdk.im.search.chat.list, find="чат"))
    assert (await result(sdk.profile))["ID"] == "1"
    assert (await result(sdk.user.current))["ID"] == "1"
    assert "im" in await result(sdk.scope)


async def test_errors_are_the_sdks_own(sdk: Any, portal: DemoPortal) -> None:
    with pytest.raises(BitrixAPIError) as refused:
        await result(partial(sdk.im.recent.pin, dialog_id="chat999999", pin=True))
    assert refused.value.error.upper() == "ACCESS_ERROR"
    portal.fail("profile", Fault(error="OPERATION_TIME_LIMIT"))
    with pytest.raises(BitrixAPIError) as blocked:
        await result(sdk.profile)
    assert blocked.value.status_code == 429


async def test_a_batch(sdk: Any) -> None:
    requests = {"me": sdk.profile(), "clock": sdk.server.time()}
    answer = await result(partial(sdk.call_batch, requests))
    assert answer.result["me"]["ID"] == "1"


async def test_an_access_token(domain: str, portal: DemoPortal) -> None:
    application = BitrixApp(client_id=portal.client_id, client_secret=portal.client_secret)
    token = BitrixToken(domain=domain, auth_token=portal.token(7).access, bitrix_app=application)
    client = Client(token)
    assert (await result(client.profile))["ID"] == "7"
    assert (await result(client.app.info))["INSTALLED"] is True
