"""Several calls in one request: the dialect of `batch`, without I/O."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, unquote

import msgspec

from .errors import InvalidResponseError, PortalError
from .lenient_json import decode, take_apart
from .payloads import Odd
from .rest import ApiResult, Request, api_error
from .timing import Timing, clock, resets_in

LARGEST = 50
"""Commands that the portal takes in one batch."""


class _Error(msgspec.Struct):
    error: Any = None
    error_description: Any = ""


class _Results(msgspec.Struct):
    """Maps by the commands' names; PHP writes an empty one as a list."""

    result: msgspec.Raw = msgspec.Raw()
    result_error: msgspec.Raw = msgspec.Raw()
    result_time: msgspec.Raw = msgspec.Raw()


_results = msgspec.json.Decoder(_Results)
# A structure, because a map would read as many entries as the portal sends.
_fields_by_name = [(f"c{index}", msgspec.Raw, msgspec.Raw()) for index in range(LARGEST)]
_by_name = msgspec.json.Decoder(msgspec.defstruct("_ByName", _fields_by_name))
_NOTHING = _by_name.decode(b"{}")
_errors: msgspec.json.Decoder[_Error | Odd] = msgspec.json.Decoder(_Error | Odd)
_times: msgspec.json.Decoder[Timing] = msgspec.json.Decoder(Timing)


def fits(request: Request[object]) -> bool:
    """Return whether a request means the same inside a batch, where the portal resolves `$result[…]`."""
    return "$result" not in "".join(_plain(request.params))


def pack(requests: Sequence[Request[object]]) -> Request:
    """Make one `batch` request of requests with the same credentials; it goes on after an error.

    Commands have names, because PHP would encode a map with numbers as a list.
    """
    commands = {_name(index): _command(request) for index, request in enumerate(requests)}
    return Request(
        requests[0].credentials,
        "batch",
        {"halt": 0, "cmd": commands},
        writes=any(request.writes for request in requests),
        idempotent=all(request.idempotent for request in requests),
    )


def unpack(answer: ApiResult, count: int) -> list[ApiResult | PortalError]:
    """Return the outcome of each of `count` requests, in their order."""
    try:
        results = take_apart(answer.result, _results)
    except msgspec.DecodeError:
        return [_missing() for _ in range(count)]
    maps = [_map(part) for part in (results.result_error, results.result_time, results.result)]
    return [_outcome([getattr(found, _name(index)) for found in maps], answer) for index in range(count)]


def _name(index: int) -> str:
    return f"c{index}"


def _command(request: Request[object]) -> str:
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
            # Every character percent-encoded: PHP reads a bare `+`, as in +03:00, as a space.
            fields.append(f"{quote(key, safe='')}={quote(str(value), safe='')}")
    return fields


def _plain(params: Mapping[str, Any]) -> list[str]:
    return [unquote(field) for field in _fields(params)]


def _map(part: msgspec.Raw) -> object:
    try:
        return _by_name.decode(part)
    except msgspec.DecodeError:
        return _NOTHING


def _outcome(parts: Sequence[msgspec.Raw], answer: ApiResult) -> ApiResult | PortalError:
    """Read a command's error, time and result, each empty where the portal told none."""
    failure, timing, result = parts
    try:
        time = decode(timing, _times) if memoryview(timing) else None
        error = decode(failure, _errors) if memoryview(failure) else None
    except msgspec.DecodeError:
        return _missing()
    if error is not None:
        failed = error if isinstance(error, _Error) else _Error(error)
        return api_error(failed.error, failed.error_description, time=time)
    if not memoryview(result):
        return _missing()
    own = result.copy()  # a view would keep the whole batch in memory
    return ApiResult(own, clock(time) or answer.as_of, resets_in(time))


def _missing() -> InvalidResponseError:
    return InvalidResponseError(
        "UNCLEAR_ANSWER",
        "The portal answered a batch without saying what became of this call.",
        "Try again in a minute.",
        transient=True,
    )
