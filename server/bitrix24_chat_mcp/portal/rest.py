"""The REST dialect without I/O: describe a request, decipher a response.

The portal's answers are decoded in two steps, because a list of 1,500 chats is 2.5 MB of which we need a
tenth: `decipher` looks at the envelope and leaves `result` as raw JSON; `models` takes out what it needs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from .auth import Credentials
from .errors import MovedError, RefusedError, UnclearAnswerError


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a REST method, as somebody. `writes` tells whether it changes anything at the portal."""

    credentials: Credentials
    method: str
    params: Mapping[str, str | int]
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP."""

    status: int
    body: bytes | bytearray
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: `result` as raw JSON, and the portal's clock (None where it did not tell)."""

    result: msgspec.Raw
    as_of: datetime | None = None


class _Time(msgspec.Struct):
    date_finish: Any = ""


class _Envelope(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw()
    error: Any = None
    error_description: Any = ""
    time: _Time | list[Any] | bool | float | str | None = None


_envelopes = msgspec.json.Decoder(_Envelope)
_JSON_BEGINS = (b"{", b"[")


def yes_no(flag: bool) -> str:  # noqa: FBT001 - the flag is all there is
    """Write a boolean as the portal reads it.

    Only the strings count: PHP compares loosely, so that a JSON `true` unpins and a JSON `false` pins.
    """
    return "Y" if flag else "N"


_DIALOG_ID = re.compile(r"(chat|sg|)0*([1-9][0-9]{0,17})")


def dialog_id(text: str) -> str:
    """Return a dialog id as the portal takes it: `chatN`, `sgN` or a user's number; else ValueError.

    Lower case, because the portal says `true` to `CHAT12` and does nothing.
    """
    parts = _DIALOG_ID.fullmatch(text.strip().lower())
    if parts is None:
        raise ValueError("must be chat123, sg12 or a user's number, as list_recent_chats gives it")
    return parts[1] + parts[2]


def timestamp(moment: datetime) -> str:
    """Write a moment as the portal reads it, `YYYY-MM-DDTHH:MM:SS+HH:MM`.

    It ignores a `Z`, and drops the offset behind a fraction of a second: both would shift the moment.
    """
    if moment.utcoffset() is None:
        raise ValueError("a moment needs an offset from UTC")
    return moment.isoformat(timespec="seconds")


def decipher(reply: Reply) -> Answer:
    """Read an answer; raise the error that it tells.

    Errors are known by their code and never by the status: the two disagree between the portal's
    documentation and its source, and an error can come with 200.
    """
    if reply.location is not None and 300 <= reply.status < 400:  # noqa: PLR2004
        raise MovedError(reply.location)
    envelope = _open(reply)
    if envelope.error:
        raise _refusal(envelope)
    if not bytes(envelope.result):
        raise UnclearAnswerError(
            "UNCLEAR_ANSWER",
            f"The portal's answer (HTTP {reply.status}) has neither a result nor an error.",
            "Try again; if it persists, check that webhook_url is the address of a Bitrix24 portal.",
        )
    return Answer(envelope.result, _clock(envelope.time))


def _open(reply: Reply) -> _Envelope:
    body = bytes(reply.body[:256]).lstrip()
    if not body:
        raise UnclearAnswerError(
            "EMPTY_ANSWER",
            f"The portal answered with an empty body (HTTP {reply.status}).",
            "Try again in a minute.",
        )
    if not body.startswith(_JSON_BEGINS):
        raise UnclearAnswerError(
            "NOT_JSON",
            f"Something that is not the REST API answered in the portal's place (HTTP {reply.status}): "
            "a proxy, a login page or a portal under maintenance.",
            "Try again in a minute; if it persists, check webhook_url.",
        )
    try:
        return _envelopes.decode(reply.body)
    except msgspec.ValidationError:
        raise UnclearAnswerError(
            "UNCLEAR_ANSWER",
            f"The portal answered with JSON of an unknown shape (HTTP {reply.status}).",
            "Try again; if it persists, check that webhook_url is the address of a Bitrix24 portal.",
        ) from None
    except msgspec.DecodeError:
        raise UnclearAnswerError(
            "BROKEN_JSON",
            f"The portal's answer is broken off or damaged (HTTP {reply.status}).",
            "Try again in a minute.",
        ) from None


def _refusal(envelope: _Envelope) -> RefusedError:
    error, said = envelope.error, envelope.error_description
    return RefusedError(str(error), said if isinstance(said, str) else "")


def _clock(time: object) -> datetime | None:
    try:
        return datetime.fromisoformat(time.date_finish) if isinstance(time, _Time) else None
    except (TypeError, ValueError):
        return None
