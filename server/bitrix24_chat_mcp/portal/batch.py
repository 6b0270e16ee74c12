"""Several calls in one request: the dialect of `batch`, without I/O."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

import msgspec

from .errors import PortalError, UnclearAnswerError
from .rest import Answer, Request, clock, refusal, resets_in

LARGEST = 50
"""Commands that the portal takes in one batch."""

# PHP writes an empty map as a list, hence the unions.
_Map = dict[str, msgspec.Raw] | list[Any]
_Notes = dict[str, Any] | list[Any]


class _Results(msgspec.Struct):
    result: _Map = msgspec.field(default_factory=list)
    result_error: _Notes = msgspec.field(default_factory=list)
    result_time: _Notes = msgspec.field(default_factory=list)


_results = msgspec.json.Decoder(_Results)


def pack(requests: Sequence[Request]) -> Request:
    """Put requests with the same credentials into one.

    Commands are named, because PHP would write a map of numbered ones as a list, and go on after an error.
    """
    commands = {_name(index): _command(request) for index, request in enumerate(requests)}
    return Request(
        requests[0].credentials,
        "batch",
        {"halt": 0, "cmd": commands},
        writes=any(request.writes for request in requests),
        idempotent=all(request.idempotent for request in requests),
    )


def unpack(answer: Answer, count: int) -> list[Answer | PortalError]:
    """Read what became of each of `count` requests, in their order."""
    try:
        results = _results.decode(answer.result)
    except msgspec.DecodeError:
        return [_missing() for _ in range(count)]
    return [_outcome(results, _name(index), answer) for index in range(count)]


def _name(index: int) -> str:
    return f"c{index}"


def _command(request: Request) -> str:
    return "?".join(filter(None, (request.method, "&".join(_fields(request.params)))))


def _fields(params: Mapping[str, Any], under: str = "") -> list[str]:
    fields: list[str] = []
    for name, value in params.items():
        key = f"{under}[{name}]" if under else name
        if isinstance(value, Mapping):
            fields += _fields(cast("Mapping[str, Any]", value), key)
        elif isinstance(value, list | tuple):
            items = cast("Sequence[Any]", value)
            fields += _fields({str(at): item for at, item in enumerate(items)}, key)
        else:
            # Percent-encoded to the last character: PHP reads a bare `+`, as in +03:00, as a space.
            fields.append(f"{quote(key, safe='')}={quote(str(value), safe='')}")
    return fields


def _outcome(results: _Results, name: str, answer: Answer) -> Answer | PortalError:
    error, time = _of(results.result_error, name), _of(results.result_time, name)
    if isinstance(error, dict):
        told = cast("dict[str, object]", error)
        return refusal(told.get("error"), told.get("error_description"), time=time)
    if error is not None:
        return refusal(error, "", time=time)
    result = _of(results.result, name)
    if result is None:
        return _missing()
    return Answer(result, clock(time) or answer.as_of, resets_in(time))


def _of(notes: Any, name: str) -> Any:  # noqa: ANN401 - whatever the portal wrote
    return notes.get(name) if isinstance(notes, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _missing() -> UnclearAnswerError:
    return UnclearAnswerError(
        "UNCLEAR_ANSWER",
        "The portal answered a batch without saying what became of this call.",
        "Try again in a minute.",
        transient=True,
    )
