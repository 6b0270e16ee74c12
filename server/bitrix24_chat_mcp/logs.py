"""Logging to stderr, without secrets and without anything of a conversation."""

import json
import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType

from .answers.redaction import mask_secrets
from .portal.transport.call_context import current_call

_PACKAGE = __name__.partition(".")[0]
AUDIT = f"{_PACKAGE}.audit"
MAY_LOG = (_PACKAGE, "uvicorn.error")
"""The loggers whose text is written, with all loggers below them. Other libraries also log what they send
and receive: of their warnings only the place in their source is written, of lower levels nothing."""
_MOST_CHARACTERS = 2000
_MOST_FRAMES = 8
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class RedactingFormatter(logging.Formatter):
    """Writes one bounded line of printable characters, without what looks like a secret."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; audit lines are JSON already, for programs to read."""
        if record.name == AUDIT:
            return mask_secrets(record.getMessage())
        line = super().format(record if _may_log(record.name) else _without_text(record))
        # Masked before invisible characters are replaced: they may be part of a secret.
        masked = mask_secrets(line[: 2 * _MOST_CHARACTERS])
        return "".join(c if c.isprintable() else " " for c in masked)[:_MOST_CHARACTERS]

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - logging's name
        """Write an exception's type and place, but not its text, which may quote a message."""
        kind, _, trace = ei
        return f"({raised_at(kind, trace)})"


def raised_at(kind: type[BaseException] | None, trace: TracebackType | None) -> str:
    """Return an exception's type and the last places that it passed: `ValueError at a.py:3 < b.py:8`."""
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{kind.__name__ if kind else 'no exception'} at {places}"


class _JsonFormatter(RedactingFormatter):
    """Writes a record as one line with a JSON object; audit records are JSON already."""

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


def _may_log(name: str) -> bool:
    return any(name == listed or name.startswith(f"{listed}.") for listed in MAY_LOG)


def _without_text(record: logging.LogRecord) -> logging.LogRecord:
    """Return a record with the place in a library's source instead of what the library logged there."""
    place = f"{record.filename}:{record.lineno} (the text is withheld)"
    return logging.makeLogRecord({**record.__dict__, "msg": place, "args": None, "exc_text": None})


def _with_call_id(record: logging.LogRecord) -> bool:
    """Add to a record the id of the tool call during which it was logged."""
    call = current_call()
    record.__dict__["call"] = call.id if call else "-"
    return True


def configure(level: str = "warning", form: str = "text") -> None:
    """Log to stderr from now on, in place of any earlier configuration; `form` is "text" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_with_call_id)
    handler.setFormatter(
        _JsonFormatter()
        if form == "json"
        else RedactingFormatter("%(asctime)s %(levelname)s %(call)s %(name)s: %(message)s")
    )
    chosen = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(chosen, logging.WARNING), handlers=[handler], force=True)
    for name in MAY_LOG:
        logging.getLogger(name).setLevel(chosen)
    logging.getLogger(AUDIT).setLevel(logging.INFO)  # the audit is written at every level
