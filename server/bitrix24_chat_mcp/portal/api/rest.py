"""The REST protocol without I/O: requests, responses, and how they are written and parsed.

Answers are decoded in two steps, because a list of 1,500 chats is 2.5 MB of which a tenth is needed:
`parse_response` reads the envelope and leaves `result` as raw JSON, `models` decodes the fields in use.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sized
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, cast
from urllib.parse import unquote, urlsplit

import msgspec
from typing_extensions import TypeVar

from .credentials import Credentials
from .errors import ApiError, InvalidResponseError, PortalError, RedirectedError
from .lenient_json import begins, decode, take_apart, text_begins
from .timing import Timing, clock, resets_in

T_co = TypeVar("T_co", covariant=True, default=msgspec.Raw)

Reader = Callable[[msgspec.Raw, str], T_co]
"""Takes the raw `result` and the user's number (or empty), returns the parsed value; raises ValueError."""


def raw(result: msgspec.Raw, _me: str) -> msgspec.Raw:
    """Return the result as it is."""
    return result


@dataclass(frozen=True, slots=True)
class Request(Generic[T_co]):
    """A call of a REST method with a user's credentials.

    `writes`: it changes something at the portal. `idempotent`: twice has the effect of once, as pinning
    has and posting a message has not. `fresh`: no answer from the cache will do. `reader` parses the result;
    it is a module's function, so that equal requests have the same one.
    """

    credentials: Credentials
    method: str
    params: Mapping[str, Any]
    writes: bool = False
    idempotent: bool = True
    fresh: bool = False
    reader: Reader[T_co] = raw  # pyright: ignore[reportAssignmentType] - raw is what T_co is without a reader


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole HTTP response."""

    status: int
    body: bytes | memoryview
    location: str | None = None


@dataclass(frozen=True, slots=True)
class ApiResult(Generic[T_co]):
    """A successful answer: its `result`, raw JSON until `read` applies the request's reader.

    `as_of` is the portal's clock, `resets_in` the seconds from the answer until the operating time counted
    against this method begins to be forgotten; both are None where the portal does not tell. `age` is how
    many seconds ago the portal answered, `weight` how many bytes of memory the answer takes, about.
    """

    result: T_co
    as_of: datetime | None = None
    resets_in: float | None = None
    age: float = 0.0
    weight: int = 0


Post = Callable[[Request[object]], Awaitable[ApiResult]]
"""Sends one request and returns its answer, result still raw; raises a PortalError."""


_NULL = msgspec.Raw(b"null")


class _Parts(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = _NULL
    error_description: msgspec.Raw = _NULL
    time: msgspec.Raw = _NULL


class _Envelope(NamedTuple):
    result: msgspec.Raw
    error: object
    error_description: object
    time: Timing


_parts = msgspec.json.Decoder(_Parts)
_times: msgspec.json.Decoder[Timing] = msgspec.json.Decoder(Timing)
_anything: msgspec.json.Decoder[object] = msgspec.json.Decoder()
_ROW = 600
"""Bytes that a row of a list takes beside its texts, about: a `Chat`, its message and moments."""


def yes_no(flag: bool) -> str:  # noqa: FBT001 - the flag is all there is
    """Write a boolean as the portal reads it: only as a string.

    PHP compares loosely, so that a JSON `true` unpins and a JSON `false` pins.
    """
    return "Y" if flag else "N"


_DIALOG_ID = re.compile(r"(chat|sg|)0*([1-9][0-9]{0,17})")


def dialog_id(text: str) -> str:
    """Return a dialog id as the portal takes it: `chatN`, `sgN` or a user's number; else raise ValueError.

    In lower case, because the portal answers `true` for `CHAT12` and does nothing.
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


def parse_response(reply: HttpResponse, address: str = "") -> ApiResult:
    """Return a response's answer, or raise the error that it means.

    Errors are told by their code, never by the status: the portal's documentation and source disagree on
    the status, and an error can come with 200. `address` is the requested one: only a redirect to the same
    path tells the portal's new origin.
    """
    if reply.location is not None and 300 <= reply.status < 400:  # noqa: PLR2004
        raise _redirect(reply, reply.location, address)
    envelope = _open(reply)
    if envelope.error:
        raise api_error(envelope.error, envelope.error_description, reply.status, envelope.time)
    if not memoryview(envelope.result):  # a view, for it may be megabytes
        raise InvalidResponseError(
            "UNCLEAR_ANSWER",
            f"The portal's answer (HTTP {reply.status}) has neither a result nor an error.",
            "Try again; if it persists, check that webhook_url is the address of a Bitrix24 portal.",
            transient=_failing(reply),
        )
    return ApiResult(envelope.result, clock(envelope.time), resets_in(envelope.time))


def read(request: Request[T_co], answer: ApiResult) -> ApiResult[T_co]:
    """Apply the request's reader to a raw result; raise InvalidResponseError where it fails."""
    try:
        value = request.reader(answer.result, request.credentials.user)
    except ValueError:
        raise InvalidResponseError(
            "UNCLEAR_ANSWER",
            f"The portal answered {request.method} with a result of an unknown shape.",
            "Try again; if it persists, report it to the people who maintain this server.",
        ) from None
    rows = len(value) if isinstance(value, Sized) and value is not answer.result else 0
    weight = len(memoryview(answer.result)) + rows * _ROW
    return ApiResult(value, answer.as_of, answer.resets_in, answer.age, weight)


def _redirect(reply: HttpResponse, location: str, address: str) -> PortalError:
    """Return what a redirect means: within the same origin it leads to a page, for a login perhaps."""
    try:
        asked, there = urlsplit(address), urlsplit(location)
    except ValueError:
        return RedirectedError("")
    if not there.netloc or (there.scheme, there.netloc) == (asked.scheme, asked.netloc):
        return _not_the_api(reply)
    return RedirectedError(f"{there.scheme}://{there.netloc}" if unquote(there.path) == asked.path else "")


def _not_the_api(reply: HttpResponse) -> InvalidResponseError:
    return InvalidResponseError(
        "NOT_JSON",
        f"Something that is not the REST API answered in the portal's place (HTTP {reply.status}): "
        "a proxy, a login page or a portal under maintenance.",
        "Try again in a minute; if it persists, check webhook_url.",
        transient=_failing(reply),
    )


def _open(reply: HttpResponse) -> _Envelope:
    body = text_begins(reply.body)
    if not len(body):
        raise InvalidResponseError(
            "EMPTY_ANSWER",
            f"The portal answered with an empty body (HTTP {reply.status}).",
            "Try again in a minute.",
            transient=True,
        )
    if not begins(body):
        raise _not_the_api(reply)
    try:
        parts = take_apart(body, _parts)
        error, said = (decode(part, _anything) for part in (parts.error, parts.error_description))
        return _Envelope(parts.result, error, said, decode(parts.time, _times))
    except msgspec.ValidationError:
        raise InvalidResponseError(
            "UNCLEAR_ANSWER",
            f"The portal answered with JSON of an unknown shape (HTTP {reply.status}).",
            "Try again; if it persists, check that webhook_url is the address of a Bitrix24 portal.",
            transient=_failing(reply),
        ) from None
    except msgspec.DecodeError:
        raise InvalidResponseError(
            "BROKEN_JSON",
            f"The portal's answer is broken off or damaged (HTTP {reply.status}).",
            "Try again in a minute.",
            transient=True,
        ) from None


def _failing(reply: HttpResponse) -> bool:
    return reply.status >= 500  # noqa: PLR2004 - a proxy's or a server's own, and they pass


def api_error(error: object, said: object, status: int = 200, time: Timing = None) -> ApiError:
    """Read the error of a whole answer, or of one command in a batch.

    REST 3.0 has an object in the place of the code.
    """
    if isinstance(error, dict):
        parts = cast("dict[str, object]", error)
        error, said = parts.get("code"), parts.get("message")
    code = str(error) if isinstance(error, str | int | float) else ""
    return ApiError(code, said if isinstance(said, str) else "", status, retry_after=resets_in(time))
