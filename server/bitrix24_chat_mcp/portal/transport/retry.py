"""Whether a failed request is made again, and when: by the meaning of the failure."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from random import Random

import anyio

from bitrix24_chat_mcp.portal.api.errors import PortalError, RedirectedError
from bitrix24_chat_mcp.portal.api.rest import ApiResult

from .clock import now
from .flight import Flight
from .limits import Limits
from .telemetry import Telemetry

Send = Callable[[Flight], Awaitable[ApiResult]]
"""A part of the way: it returns the portal's answer or raises a PortalError."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_REMEMBERED = 1000


class Retry:
    """Makes a request again after a failure that passes, unless it might then be done twice.

    Pauses have full jitter: anything between nothing and a ceiling that doubles, so that callers who
    failed together do not come back together. None is longer than the time that is left.
    """

    def __init__(self, leg: Send, limits: Limits, telemetry: Telemetry, jitter: Random) -> None:
        self._leg = leg
        self._attempts = limits.attempts
        self._telemetry = telemetry
        self._jitter = jitter
        # When a method's operating time begins to be forgotten: the refusal itself does not tell.
        self._resets: OrderedDict[tuple[object, str], float] = OrderedDict()

    async def __call__(self, flight: Flight) -> ApiResult:
        """Return the answer of the first attempt that succeeds."""
        while True:
            alone = flight.alone
            try:
                answer = await self._leg(flight)
            except PortalError as error:
                flight.failed(error)
                pause = self._pause(flight, error, set_apart=flight.alone and not alone)
                if pause is None or pause >= flight.left():
                    raise flight.final(error) from None
                self._telemetry.retried(flight.request, error)
                await anyio.sleep(pause)
            else:
                self._remember(flight, answer)
                return answer

    def _pause(self, flight: Flight, error: PortalError, *, set_apart: bool) -> float | None:
        """Return the seconds to wait before the next attempt, None if there is to be none."""
        if not self._may_repeat(flight, set_apart=set_apart):
            return None
        if set_apart:
            return 0.0
        if error.code == "OPERATION_TIME_LIMIT":
            return self._until_reset(flight, error)
        if not error.transient:
            return None
        ceiling = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (flight.attempts - 1))
        return 0.0 if isinstance(error, RedirectedError) else self._jitter.uniform(0, ceiling)

    def _may_repeat(self, flight: Flight, *, set_apart: bool) -> bool:
        if flight.acted and not flight.request.idempotent:
            return False
        return set_apart or flight.attempts < self._attempts

    def _until_reset(self, flight: Flight, error: PortalError) -> float | None:
        if error.retry_after is None:
            reset = self._resets.get((flight.request.credentials, flight.request.method), 0.0)
            wait = reset - now()
            if wait > 0:
                error.again_in(wait)
        return error.retry_after

    def _remember(self, flight: Flight, answer: ApiResult) -> None:
        if answer.resets_in is None:
            return
        key = (flight.request.credentials, flight.request.method)
        self._resets[key] = now() + answer.resets_in
        self._resets.move_to_end(key)
        while len(self._resets) > _REMEMBERED:
            self._resets.popitem(last=False)
