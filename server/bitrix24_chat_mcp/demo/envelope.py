"""The JSON around a result, and around a refusal."""

from typing import cast

from . import dates, php
from .calls import Page
from .php import Obj
from .refusals import RestError
from .replies import Reply
from .switches import Switches

_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "origin, content-type, accept",
}
_HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
    **_CORS,
}


def time_block(switches: Switches, started: float, finished: float, limiter: tuple[int, float]) -> Obj:
    """When and how long; `start` and `processing` have lost their fractions, except in old builds."""
    whole = switches.build == "current"
    start = int(started) if whole else started
    block: Obj = {
        "start": start,
        "finish": php.number(finished),
        "duration": php.number(finished - start),
        "processing": int(finished - started) if whole else finished - started,
        "date_start": dates.iso(started, switches.zone),
        "date_finish": dates.iso(finished, switches.zone),
    }
    reset_at, spent = limiter
    if switches.operating == "cloud":
        block["operating_reset_at"] = reset_at
    if switches.operating != "none":
        block["operating"] = php.number(spent)
    return block


def success(switches: Switches, page: Page, time: Obj) -> Reply:
    """Wrap a result with its `next`, `total` and `time`; an array with an `error` in it goes as it is."""
    result = page.result
    if isinstance(result, dict) and result.keys() >= {"error", "error_description"}:
        return reply(switches, 200, cast("Obj", result))
    body: Obj = {"result": result}
    if page.next is not None:
        body["next"] = page.next
    if page.total is not None:
        body["total"] = page.total
    answer = reply(switches, 200, body | {"time": time})
    if switches.operating == "cloud":
        spent = f"{float(str(time['finish'])) - float(str(time['start'])):.10f}"
        names = ("x-bitrix-rest-time", "x-bitrix-rest-user-time", "x-bitrix-rest-system-time")
        answer.headers |= dict.fromkeys(names, spent)
    return answer


def permission() -> Reply:
    """Answer OPTIONS: CORS headers, and nothing else."""
    return Reply(200, b"", dict(_CORS))


def failure(switches: Switches, error: RestError) -> Reply:
    """Wrap a refusal; it has no `time`."""
    return reply(switches, error.status(switches.statuses), error.body())


def reply(switches: Switches, status: int, body: object) -> Reply:
    """JSON as PHP writes it; what cannot be written is WRONG_ENCODING with status 200."""
    try:
        encoded = php.encode(body, ascii_only=switches.build == "old")
    except UnicodeEncodeError:
        return failure(switches, RestError("WRONG_ENCODING"))
    return Reply(status, encoded, dict(_HEADERS))
