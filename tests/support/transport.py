"""An httpx transport that runs an ASGI application in a task of the caller's loop, and streams its answer.

The application sees the client go (`http.disconnect`) when the answer is closed or the request is cancelled,
and may drop the connection itself by the scope extension `bitrix24_demo.hang_up`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Awaitable[None]]


class ASGITransport(httpx.AsyncBaseTransport):
    """Speaks to an ASGI application as if it were a server; connections break as real ones do."""

    def __init__(self, app: App, client: tuple[str, int] = ("127.0.0.1", 50000)) -> None:
        self._app = app
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; errors are those of httpx's own transport."""
        exchange = _Exchange(await request.aread())
        exchange.start(self._app, self._scope(request, exchange))
        try:
            async with asyncio.timeout(_read_timeout(request)):
                start = await exchange.next_event()
        except TimeoutError as error:
            await exchange.aclose()
            raise httpx.ReadTimeout("The portal does not answer.", request=request) from error
        except BaseException:
            await exchange.aclose()
            raise
        if start is None:
            await exchange.aclose()
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            )
        return httpx.Response(start["status"], headers=start["headers"], stream=_Body(exchange, request))

    def _scope(self, request: httpx.Request, exchange: "_Exchange") -> Scope:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self._client,
            "server": (request.url.host, request.url.port),
            "extensions": {"bitrix24_demo.hang_up": exchange.hang_up},
        }


class _Exchange:
    """One request and its answer, between the application's task and the client."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, app: App, scope: Scope) -> None:
        self._task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: App, scope: Scope) -> None:
        try:
            await app(scope, self._receive, self._send)
        finally:
            self.hang_up()

    async def _receive(self) -> Event:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Event) -> None:
        self._events.put_nowait(event)

    def hang_up(self) -> None:
        self._events.put_nowait(None)

    async def next_event(self) -> Event | None:
        """What the application sends next; None when it has dropped the connection."""
        event = await self._events.get()
        if event is None and self._task and self._task.done() and not self._task.cancelled():
            self._task.result()  # a crash of the application is the test's to see
        return event

    async def aclose(self) -> None:
        """Let the application know that the client has gone, and wait for its end."""
        self._gone.set()
        if self._task is None or self._task.done():
            return
        self._task.cancel()
        await asyncio.wait([self._task])


class _Body(httpx.AsyncByteStream):
    def __init__(self, exchange: _Exchange, request: httpx.Request) -> None:
        self._exchange = exchange
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            event = await self._next()
            if event is None:
                raise httpx.RemoteProtocolError("Peer closed connection.", request=self._request)
            if event.get("body"):
                yield event["body"]
            more = event.get("more_body", False)

    async def _next(self) -> Event | None:
        try:
            async with asyncio.timeout(_read_timeout(self._request)):
                return await self._exchange.next_event()
        except TimeoutError as error:
            raise httpx.ReadTimeout("The rest of the answer does not come.", request=self._request) from error

    async def aclose(self) -> None:
        await self._exchange.aclose()


def _read_timeout(request: httpx.Request) -> float | None:
    return request.extensions.get("timeout", {}).get("read")
