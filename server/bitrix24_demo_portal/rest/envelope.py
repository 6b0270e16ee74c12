"""The JSON around a result or an error."""

from typing import cast

from bitrix24_demo_portal import php
from bitrix24_demo_portal.asgi.response import Response
from bitrix24_demo_portal.options import Options
from bitrix24_demo_portal.php import Obj

from . import dates
from .call import MethodResult
from .errors import RestError

_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "origin, content-type, accept",
}
_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
    **_CORS,
}


def time_block(options: Options, started: float, finished: float, limiter: tuple[int, float]) -> Obj:
    """Describe when the call ran and how long; only old builds give fractions of `start` and `processing`."""
    whole = options.build == "current"
    start = int(started) if whole else started
    block: Obj = {
        "start": start,
        "finish": php.number(finished),
        "duration": php.number(finished - start),
        "processing": int(finished - started) if whole else finished - started,
        "date_start": dates.iso(started, options.zone),
        "date_finish": dates.iso(finished, options.zone),
    }
    reset_at, spent = limiter
    if options.operating == "cloud":
        block["operating_reset_at"] = reset_at
    if options.operating != "none":
        block["operating"] = php.number(spent)
    return block


def success(options: Options, page: MethodResult, time: Obj) -> Response:
    """Wrap a result with its `next`, `total` and `time`; an array that holds an `error` is sent as it is."""
    result = page.result
    if isinstance(result, dict) and result.keys() >= {"error", "error_description"}:
        return json_response(options, 200, cast("Obj", result))
    body: Obj = {"result": result}
    if page.next is not None:
        body["next"] = page.next
    if page.total is not None:
        body["total"] = page.total
    answer = json_response(options, 200, body | {"time": time})
    answer.headers |= _time_headers(time) if options.operating == "cloud" else {}
    return answer


def _time_headers(time: Obj) -> dict[str, str]:
    spent = f"{float(str(time['finish'])) - float(str(time['start'])):.10f}"
    return dict.fromkeys(
        ("x-bitrix-rest-time", "x-bitrix-rest-user-time", "x-bitrix-rest-system-time"), spent
    )


def preflight() -> Response:
    """Answer OPTIONS: CORS headers, and nothing else."""
    return Response(200, b"", dict(_CORS))


def failure(options: Options, error: RestError) -> Response:
    """Wrap an error; it has no `time`."""
    return json_response(options, error.status(options.statuses), error.body())


def json_response(options: Options, status: int, body: object) -> Response:
    """Write JSON as PHP does; a text that cannot be encoded becomes WRONG_ENCODING with status 200."""
    try:
        encoded = php.encode(body, ascii_only=options.build == "old")
    except UnicodeEncodeError:
        return failure(options, RestError("WRONG_ENCODING"))
    return Response(status, encoded, dict(_HEADERS))
