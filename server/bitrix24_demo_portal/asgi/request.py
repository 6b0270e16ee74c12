"""What a request to `/rest/` says, read as Bitrix24 reads it: forgiving, and silent about what it drops."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs

from bitrix24_demo_portal.php import Obj, integer, nest, parse_str

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PATH = re.compile(r"/rest/(?:(?P<user>[^/]+)/(?P<code>[^/]+)/)?(?P<method>[^/]+?)(?:\.json)?/?")
_CREDENTIALS = ("auth", "access_token")


@dataclass(slots=True)
class HttpRequest:
    """An HTTP request with its body read, before anybody knows what it means."""

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


@dataclass(slots=True)
class Invocation:
    """A method with its parameters, and the credentials that came with them.

    `params` are as typed, without credentials and without `start`, which travels apart.
    """

    method: str
    params: Obj
    start: int
    user: str
    code: str
    token: str
    signed_link: bool


async def receive_message(scope: Scope, receive: Receive) -> HttpRequest:
    """Read a request to its end."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope.get("client") or ("local",)
    query = scope.get("query_string", b"").decode("utf-8", "replace")
    body = await _body(receive)
    message = HttpRequest(
        scope["method"], scope["path"], query, headers, body, client[0], scope.get("scheme", "http")
    )
    message.form = await _form(message, scope)
    return message


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    while True:
        event = await receive()
        chunks.append(event.get("body", b""))
        if not event.get("more_body"):
            return b"".join(chunks)


async def _form(message: HttpRequest, scope: Scope) -> Obj:
    content_type = message.headers.get("content-type", "").lower()
    if content_type.startswith("application/json") or "+json" in content_type:
        return _json_object(message.body)
    if content_type.startswith("multipart/form-data"):
        return await _multipart(message.body, scope)
    return parse_str(message.body.decode("utf-8", "replace")) if message.body else {}


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


def invocation(message: HttpRequest) -> Invocation | None:
    """Read the call that a request to `/rest/` makes; None for an address that is none of REST's."""
    path = _PATH.fullmatch(message.path)
    if not path:
        return None
    params = {**parse_str(message.query), **message.form}
    token = _bearer(message) or next((str(params[name]) for name in _CREDENTIALS if params.get(name)), "")
    for name in _CREDENTIALS:
        params.pop(name, None)
    start = integer(params.pop("start", 0))
    return Invocation(
        method=path["method"].lower(),
        params=params,
        start=start,
        user=path["user"] or "",
        code=path["code"] or "",
        token=token,
        signed_link="token" in params,
    )


def _bearer(message: HttpRequest) -> str:
    kind, _, token = message.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
