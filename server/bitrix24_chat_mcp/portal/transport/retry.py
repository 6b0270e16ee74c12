"""Whether a request that failed is sent again, and when."""

from dataclasses import replace
from random import Random

import anyio
from cachetools import LRUCache

from bitrix24_chat_mcp.portal.api.errors import PortalError, RedirectedError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request

from .outgoing import Outgoing, Redirected, RetryOutsideBatch, Stage
from .progress import Failed
from .telemetry import Telemetry

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_REMEMBERED = 1000


class Retry:
    """Sends a request again after a transient failure, unless a change might then be made twice.

    Pauses have full jitter, anything between nothing and a ceiling that doubles, so that callers whose
    requests failed together do not come back together. No pause is longer than the time that is left.
    """

    def __init__(self, send: Stage, attempts: int, telemetry: Telemetry, jitter: Random) -> None:
        self._send = send
        self._attempts = attempts
        self._telemetry = telemetry
        self._jitter = jitter
        # When the portal forgets a method's operating time: only the answers before its refusal tell.
        self._resets: LRUCache[tuple[object, str], float] = LRUCache(_REMEMBERED)

    async def __call__(self, outgoing: Outgoing) -> ApiResult:
        """Return the answer of the first attempt that succeeds, or raise the error of the last."""
        acted = False
        while True:
            try:
                answer = await self._send(outgoing)
            except (PortalError, Redirected, RetryOutsideBatch) as reason:
                error, pause, following = self._judge(outgoing, reason)
            else:
                self._note_reset(outgoing.request, answer)
                return answer
            outgoing.report(Failed(error))
            acted = acted or error.acted
            if pause is None or pause >= outgoing.time_left() or (acted and not outgoing.request.idempotent):
                raise error
            self._telemetry.retried(outgoing.request, error)
            await anyio.sleep(pause)
            outgoing = replace(following, attempt=outgoing.attempt + 1)

    def _judge(
        self, outgoing: Outgoing, reason: PortalError | Redirected | RetryOutsideBatch
    ) -> tuple[PortalError, float | None, Outgoing]:
        """Return the error of an attempt, the seconds before the next (None: there is none), and that one."""
        if isinstance(reason, RetryOutsideBatch):
            return reason.error, 0.0, replace(outgoing, batchable=False)
        if isinstance(reason, Redirected):
            request = replace(outgoing.request, credentials=reason.credentials)
            return reason.error, self._pause(outgoing, reason.error), replace(outgoing, request=request)
        error = self._with_reset(outgoing.request, reason)
        return error, self._pause(outgoing, error), outgoing

    def _pause(self, outgoing: Outgoing, error: PortalError) -> float | None:
        if outgoing.attempt >= self._attempts:
            return None
        if error.code == "OPERATION_TIME_LIMIT":
            return error.retry_after
        if not error.transient:
            return None
        ceiling = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (outgoing.attempt - 1))
        return 0.0 if isinstance(error, RedirectedError) else self._jitter.uniform(0, ceiling)

    def _with_reset(self, request: Request[object], error: PortalError) -> PortalError:
        if error.code != "OPERATION_TIME_LIMIT" or error.retry_after is not None:
            return error
        left = self._resets.get((request.credentials, request.method), 0.0) - anyio.current_time()
        return error.with_retry_after(left) if left > 0 else error

    def _note_reset(self, request: Request[object], answer: ApiResult) -> None:
        if answer.resets_in is not None:
            key = (request.credentials, request.method)
            self._resets[key] = anyio.current_time() + answer.resets_in
