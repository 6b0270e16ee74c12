"""Logging on stderr, where no secret gets through."""

import logging
import sys

from .answers.secrecy import mask_secrets

AUDIT = "bitrix24_chat_mcp.audit"
_TALKATIVE = ("httpx", "httpcore", "keyring", "filelock", "multipart", "python_multipart")


class _Discreet(logging.Formatter):
    """Masks what looks like a secret in the finished line, a traceback's text included."""

    def format(self, record: logging.LogRecord) -> str:
        # Audit lines are JSON, each a whole line, for programs to read.
        line = record.getMessage() if record.name == AUDIT else super().format(record)
        return mask_secrets(line)


def configure(level: str) -> None:
    """Log to stderr from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger(AUDIT).setLevel(logging.INFO)  # whatever the level of the others
    for name in _TALKATIVE:  # they write down headers and addresses, where secrets travel
        logging.getLogger(name).setLevel(logging.WARNING)
