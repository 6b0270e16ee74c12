"""Sealed values: clients and browsers carry them, so that the server need not store them.

A value is encrypted by AES-GCM for one purpose, and cannot be read, changed, or used for another one. Every
server with the same key can open it.
"""

import base64
import hmac
import secrets
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

T = TypeVar("T")
_SALT, _NONCE = 16, 12  # bytes


class Sealer:
    """Seals values by a key, and makes authentication codes of texts with it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, purpose: str, value: object) -> str:
        """Return a value as text of letters, digits, `-` and `_`."""
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        sealed = self._cipher(purpose, salt).encrypt(nonce, msgspec.json.encode(value), purpose.encode())
        return _encode(salt + nonce + sealed)

    def open(self, purpose: str, text: str, kind: type[T]) -> T | None:
        """Return the value that was sealed for this purpose, or None for any other text."""
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            if _encode(data) != text:  # the decoder skips characters that are none of its alphabet
                return None
            salt, nonce, sealed = data[:_SALT], data[_SALT : _SALT + _NONCE], data[_SALT + _NONCE :]
            plain = self._cipher(purpose, salt).decrypt(nonce, sealed, purpose.encode())
            return msgspec.json.decode(plain, type=kind)
        except (ValueError, InvalidTag):
            return None

    def mac(self, purpose: str, text: str) -> str:
        """Return 64 hexadecimal digits that only this key makes of a text, for this purpose."""
        return hmac.digest(self._key, f"{purpose} {text}".encode(), "sha256").hex()

    def _cipher(self, purpose: str, salt: bytes) -> AESGCM:
        """Return a cipher with a key of its own: strangers may have any number of values sealed."""
        return AESGCM(hmac.digest(self._key, f"seal {purpose} ".encode() + salt, "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
