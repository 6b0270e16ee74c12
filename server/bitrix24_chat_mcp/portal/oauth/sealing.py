"""Sealed values: what clients and browsers carry for the server, and what servers keep in a store they share.

A value is encrypted by AES-GCM for one purpose, and cannot be read, changed, or used for another one. Every
server with the same key can open it. Keys form a ring, so that they can be changed while servers run: the
first one seals, and all open.
"""

import base64
import hmac
import secrets
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

T = TypeVar("T")
_SALT, _NONCE = 16, 12  # bytes


class Sealer:
    """Seals values by the first key of a ring, and makes authentication codes of texts with each."""

    def __init__(self, *ring: bytes) -> None:
        self._ring = ring

    def seal(self, purpose: str, value: object) -> str:
        """Return a value as text of letters, digits, `-` and `_`."""
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        cipher = _cipher(self._ring[0], purpose, salt)
        sealed = cipher.encrypt(nonce, msgspec.json.encode(value), purpose.encode())
        return _encode(salt + nonce + sealed)

    def open(self, purpose: str, text: str, kind: type[T]) -> T | None:
        """Return the value that was sealed for this purpose, or None for any other text."""
        for key in self._ring:
            with suppress(ValueError, InvalidTag):
                return msgspec.json.decode(_opened(key, purpose, text), type=kind)
        return None

    def mac(self, purpose: str, text: str) -> str:
        """Return 64 hexadecimal digits that only the first key makes of a text, for this purpose."""
        return next(self.macs(purpose, text))

    def macs(self, purpose: str, text: str) -> Iterator[str]:
        """Return what each key makes of a text, the first key's first."""
        for key in self._ring:
            yield hmac.digest(key, f"{purpose} {text}".encode(), "sha256").hex()

    def each(self) -> "Iterator[Sealer]":
        """Return a sealer for each key, the first key's first."""
        return map(Sealer, self._ring)

    def is_mac(self, purpose: str, text: str, code: str) -> bool:
        """Tell whether one of the keys has made a code of a text."""
        return any(hmac.compare_digest(code.encode(), mac.encode()) for mac in self.macs(purpose, text))


def _opened(key: bytes, purpose: str, text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(data) != text:  # the decoder skips characters that are none of its alphabet
        raise ValueError("not sealed here")
    salt, nonce, sealed = data[:_SALT], data[_SALT : _SALT + _NONCE], data[_SALT + _NONCE :]
    return _cipher(key, purpose, salt).decrypt(nonce, sealed, purpose.encode())


def _cipher(key: bytes, purpose: str, salt: bytes) -> AESGCM:
    """Return a cipher with a key of its own: strangers may have any number of values sealed."""
    return AESGCM(hmac.digest(key, f"seal {purpose} ".encode() + salt, "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
