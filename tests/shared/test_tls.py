"""TLS to the engine: a way that ends it before a real engine, with certificates made for the test."""

import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from anyio.to_thread import run_sync
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from bench.valkey import ValkeyServer

from .relay import relay
from .test_startup import refused, run

UNTRUSTED = "shared.url: its TLS certificate is not trusted"
Issue = Callable[[str], ssl.SSLContext]


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The file of a certificate authority of one's own; `issue` uses the key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Office")])
    own = _unsigned(name, name, key).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    file = tmp_path / "authority.pem"
    file.write_bytes(own.sign(key, SHA256()).public_bytes(Encoding.PEM))
    file.with_suffix(".key").write_bytes(_pem(key))
    return file


@pytest.fixture
def issue(authority: Path) -> Issue:
    """Return a function that makes the TLS context of a server at an address."""

    def make(address: str) -> ssl.SSLContext:
        issuer = x509.load_pem_x509_certificate(authority.read_bytes()).subject
        signing = _key(authority.with_suffix(".key").read_bytes())
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = (
            _unsigned(subject, issuer, key).add_extension(names, critical=False).sign(signing, SHA256())
        )
        file = authority.with_name("server.pem")
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + _pem(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    return make


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


async def start(*arguments: str, url: str, trusted: Path | None = None) -> CompletedProcess[str]:
    return await run_sync(partial(run, *arguments, trusted=trusted, SHARED__URL=url))


async def test_rediss_reaches_an_engine_behind_tls(
    valkey: ValkeyServer, issue: Issue, authority: Path
) -> None:
    async with relay(valkey, issue("127.0.0.1")) as way:
        done = await start("check", url=way.url, trusted=authority)
        assert "ok    shared state: the engine answers, version " in done.stdout
        done = await start(url=way.url, trusted=authority)
        assert (done.returncode, done.stderr) == (0, ""), "it serves until stdin ends"


async def test_a_certificate_of_an_unknown_authority_is_one_line_and_exit_2(
    valkey: ValkeyServer, issue: Issue
) -> None:
    async with relay(valkey, issue("127.0.0.1")) as way:
        refused(await start(url=way.url), f"{UNTRUSTED} (unable to get local issuer certificate)")


async def test_a_certificate_for_another_host_is_one_line_and_exit_2(
    valkey: ValkeyServer, issue: Issue, authority: Path
) -> None:
    async with relay(valkey, issue("127.0.0.2")) as way:
        why = "IP address mismatch, certificate is not valid for '127.0.0.1'."
        refused(await start(url=way.url, trusted=authority), f"{UNTRUSTED} ({why})")


async def test_rediss_to_an_engine_without_tls_is_one_line_and_exit_2(valkey: ValkeyServer) -> None:
    url = valkey.url.replace("valkey://", "rediss://")
    refused(await start(url=url), "shared.url: it does not answer in time")
