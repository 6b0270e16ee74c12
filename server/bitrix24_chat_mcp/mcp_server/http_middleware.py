"""What every HTTP request passes first: bounds for headers and body, a sentence where the server fails."""

import asyncio
import logging
import re
from collections.abc import Collection, Sequence

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bitrix24_chat_mcp.portal.api.errors import StoreUnreachableError
from bitrix24_chat_mcp.portal.api.lenient_json import values
from bitrix24_chat_mcp.portal.transport.engine_use import new_use

_logger = logging.getLogger(__name__)
_MOST_PATH = 200
MOST_HEADERS = 100
MOST_VALUES = 20_000
"""JSON values of a body, by `values`: a megabyte of tiny ones would hold up others."""
_HOST = re.compile(rb"(?:[\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_ORIGIN = re.compile(rb"null|[a-z][a-z0-9+.-]*://" + _HOST.pattern, re.IGNORECASE)


class BodyLimit:
    """Reads a request's body before the application runs, so that size and time are bounded in one place.

    More than `max_bytes`, or than MOST_VALUES, is answered with 413, a body that takes longer than `seconds`
    with 408; a client that hangs up while sending is not answered at all. Paths in `exempt` have a limit of
    their own.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float, exempt: Collection[str] = ()) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with its whole body, or refuse it."""
        if scope["type"] != "http" or scope["path"] in self._exempt:
            return await self._app(scope, receive, send)
        try:
            async with asyncio.timeout(self._seconds):  # a cancel scope costs five times as much
                body = await self._read(receive)
        except TimeoutError:
            slow = f"The request's body did not arrive within {self._seconds:g} seconds."
            return await _refusal(408, slow, {"Connection": "close"})(scope, receive, send)
        except OverflowError as error:
            return await _refusal(413, f"The request's body {error}.")(scope, receive, send)
        if body is not None:
            await self._app(scope, _replayed(body, receive), send)
        return None

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, or None when the client has hung up; raise OverflowError beyond the limit."""
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                raise OverflowError(f"is larger than {self._max_bytes} bytes")
            more = message.get("more_body", False)
        if values(body) > MOST_VALUES:
            raise OverflowError(f"has more than {MOST_VALUES} values")
        return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, once, then what the connection brings."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay


class OneEngineUse:
    """Lets a request wait a bounded time for what servers share, its authentication included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        with new_use():
            await self._app(scope, receive, send)


class HeaderCheck:
    """Refuses requests with too many headers, and with a Host or Origin that can be read in two ways."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        refusal = _wrong_headers(scope["headers"]) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)


def _wrong_headers(headers: Sequence[tuple[bytes, bytes]]) -> JSONResponse | None:
    if len(headers) > MOST_HEADERS:
        return _refusal(431, f"The request has more than {MOST_HEADERS} headers.")
    seen = False
    for name, value in headers:
        if name == b"host":
            if seen or not _HOST.fullmatch(value):
                return _refusal(421, "The Host header is no name or address, with or without a port.")
            seen = True
        elif name == b"origin" and not _ORIGIN.fullmatch(value):
            return _refusal(403, "The Origin header is no origin.")
    return None


class ErrorResponses:
    """Answers with a sentence and logs one line where the application fails unexpectedly."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; no exception passes."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            return await self._app(scope, receive, note_start)
        except Exception as error:  # noqa: BLE001 - the client gets a sentence, the log the rest
            refusal = _explained(error, scope)
        if not started:
            await refusal(scope, receive, send)
        return None


def _explained(error: Exception, scope: Scope) -> JSONResponse:
    """Return the answer to a request that failed; log what nobody expected."""
    if isinstance(error, StoreUnreachableError):
        return _refusal(503, str(error), {"Retry-After": "60"})
    _logger.error("%s %s failed", scope["method"], scope["path"][:_MOST_PATH], exc_info=error)
    return _refusal(500, "The server failed on this request, and has logged why; try again once.")


def _refusal(status: int, said: str, headers: dict[str, str] | None = None) -> JSONResponse:
    errors = {500: "server_error", 503: "temporarily_unavailable"}
    body = {"error": errors.get(status, "invalid_request"), "error_description": said}
    return JSONResponse(body, status, headers)
