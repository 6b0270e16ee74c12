"""An HTTP request with its body, parsed as PHP parses it: a malformed body counts as none."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs

from bitrix24_demo_portal.php import Obj, nest, parse_str

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(slots=True)
class HttpRequest:
    """An HTTP request whose body has been read."""

    verb: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    client: str
    scheme: str
    form: Obj = field(default_factory=dict[str, object])

    @property
    def host(self) -> str:
        """The address that the caller used, `host:port`."""
        return self.headers.get("host", "localhost")

    def field(self, name: str) -> str:
        """Look a field up in the query or else of the form, "" when absent."""
        found = parse_qs(self.query).get(name)
        return found[0] if found else str(self.form.get(name, ""))


async def read_request(scope: Scope, receive: Receive) -> HttpRequest:
    """Read a request to its end."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope.get("client") or ("local",)
    query = scope.get("query_string", b"").decode("utf-8", "replace")
    body = await _body(receive)
    request = HttpRequest(
        scope["method"], scope["path"], query, headers, body, client[0], scope.get("scheme", "http")
    )
    request.form = await _form(request, scope)
    return request


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        event = await receive()
        chunks.append(event.get("body", b""))
        if not event.get("more_body"):
            return b"".join(chunks)


async def _form(request: HttpRequest, scope: Scope) -> Obj:
    content_type = request.headers.get("content-type", "").lower()
    if content_type.startswith("application/json") or "+json" in content_type:
        return _json_object(request.body)
    if content_type.startswith("multipart/form-data"):
        return await _multipart(request.body, scope)
    return parse_str(request.body.decode("utf-8", "replace")) if request.body else {}


def _json_object(body: bytes) -> Obj:
    """Parse a JSON body; a malformed one is swallowed, the call goes on with what the address says."""
    try:
        value: object = json.loads(body)
    except ValueError:
        return {}
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(cast("list[object]", value))}
    return cast("Obj", value) if isinstance(value, dict) else {}


async def _multipart(body: bytes, scope: Scope) -> Obj:
    from starlette.requests import Request  # noqa: PLC0415 - few callers send it, and importing it takes time

    async def receive() -> Event:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request(scope, receive).form() as form:
        return nest((name, value) for name, value in form.multi_items() if isinstance(value, str))
