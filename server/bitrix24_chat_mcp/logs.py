"""Logging on stderr, where no secret gets through."""

import json
import logging
import sys

from .answers.secrecy import mask_secrets
from .portal.call import current_call

AUDIT = "bitrix24_chat_mcp.audit"
_TALKATIVE = ("httpx", "httpcore", "keyring", "filelock", "multipart", "python_multipart")


class _Discreet(logging.Formatter):
    """Masks what looks like a secret in the finished line, a traceback's text included."""

    def format(self, record: logging.LogRecord) -> str:
        # Audit lines are JSON, each a whole line, for programs to read.
        line = record.getMessage() if record.name == AUDIT else super().format(record)
        return mask_secrets(line)


class _Lines(_Discreet):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        if record.name == AUDIT:
            return super().format(record)
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "call": record.__dict__["call"],
            "message": super().format(record),
        }
        return json.dumps(line, ensure_ascii=False)


def _with_call(record: logging.LogRecord) -> bool:
    """Mark a record with the id of the tool call that it belongs to."""
    call = current_call()
    record.__dict__["call"] = call.id if call else "-"
    return True


def configure(level: str, form: str = "text") -> None:
    """Log to stderr from now on; `form` is "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_with_call)
    handler.setFormatter(
        _Lines() if form == "json" else _Discreet("%(asctime)s %(levelname)s %(call)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger(AUDIT).setLevel(logging.INFO)  # whatever the level of the others
    for name in _TALKATIVE:  # they write down headers and addresses, where secrets travel
        logging.getLogger(name).setLevel(logging.WARNING)
