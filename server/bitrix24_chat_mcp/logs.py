"""Logging on stderr, where no secret gets through."""

import logging
import sys

from .answers.secrecy import mask_secrets


class _Discreet(logging.Formatter):
    """Masks what looks like a secret in the finished line, a traceback's text included."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_secrets(super().format(record))


def configure(level: str) -> None:
    """Log to stderr from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
