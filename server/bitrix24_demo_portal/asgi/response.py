"""Answers on their way out: status, headers, body; and the ways in which they arrive, or do not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bitrix24_demo_portal.faults import Fault

from .request import Receive, Scope, Send

HANG_UP = "bitrix24_demo.hang_up"
"""Scope extension: a function without arguments that drops the connection at once."""


@dataclass(slots=True)
class Response:
    """A whole HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])


def html(status: int, title: str, content: str = "") -> Response:
    """Make a page, such as a proxy's error."""
    page = f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{title}</title></head>\n'
    page += f"<body><h1>{title}</h1>\n{content}</body></html>\n"
    return Response(status, page.encode(), {"content-type": "text/html; charset=utf-8"})


async def deliver(response: Response, fault: Fault, send: Send, hang_up: Callable[[], None]) -> None:
    """Send an answer, truncated, dripping or broken off in the middle if the fault says so."""
    headers = {"content-length": str(len(response.body)), **response.headers}
    body = response.body
    if fault.truncate is not None:
        body = body[: fault.truncate]
        headers["content-length"] = str(len(body))
    if fault.close == "middle":
        body = body[: len(body) // 2]
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    if fault.drip is not None:
        body = await _drip(body, fault.drip, send)
    broken = fault.close == "middle"
    await send({"type": "http.response.body", "body": body, "more_body": broken})
    if broken:
        hang_up()


async def _drip(body: bytes, pause: float, send: Send) -> bytes:
    """Send all but the last byte, one after the other."""
    for place in range(len(body) - 1):
        await send({"type": "http.response.body", "body": body[place : place + 1], "more_body": True})
        await asyncio.sleep(pause)
    return body[-1:]


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Tell the server that the application is started, and later that it is stopped."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


async def never(receive: Receive) -> None:
    """Wait until the caller gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def hang_up_of(scope: Scope) -> Callable[[], None]:
    """Find the server's way to drop the connection; without one, an exception has to do."""
    extensions: dict[str, Callable[[], None]] = scope.get("extensions") or {}
    return extensions.get(HANG_UP, _abort)


def _abort() -> None:
    raise ConnectionAbortedError("The demo portal hangs up, and this server offers no other way.")
