"""Seals what lies in the engine: it can be neither read, nor changed, nor moved to another key's name."""

import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12  # bytes


class ValueSealer:
    """Seals with the first key of a ring, and opens with any: so keys can be changed while servers run."""

    def __init__(self, ring: Sequence[bytes]) -> None:
        self._ciphers = [AESGCM(hmac.digest(key, b"shared store", "sha256")) for key in ring]

    def seal(self, name: str, text: str) -> bytes:
        """Return a text sealed for one key's name."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, text.encode(), name.encode())

    def open(self, name: str, sealed: bytes) -> str | None:
        """Return the text that was sealed for this name, or None for anything else."""
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        return None
