"""The portal itself: one ASGI application over a world, its limits, its credentials and its faults."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import urlsplit

from bitrix24_demo_portal.asgi.request import (
    HttpRequest,
    Invocation,
    Receive,
    Scope,
    Send,
    invocation,
    receive_message,
)
from bitrix24_demo_portal.asgi.response import Response, deliver, hang_up_of, html, never
from bitrix24_demo_portal.data.chat_fixtures import ChatFixture
from bitrix24_demo_portal.data.fixture_builder import FixtureBuilder, generate
from bitrix24_demo_portal.data.people import ME
from bitrix24_demo_portal.data.tokens import TokenPair, TokenStore
from bitrix24_demo_portal.data.world import Message, World, dialog_id
from bitrix24_demo_portal.rest import envelope
from bitrix24_demo_portal.rest.credentials import webhook_code
from bitrix24_demo_portal.rest.errors import PhpTypeError, RestError
from bitrix24_demo_portal.rest.rate_limit import LeakyBucket
from bitrix24_demo_portal.rest.router import Router

from . import control, oauth
from .faults import Calls, Fault, FaultPlan
from .options import Options
from .request_log import LoggedRequest

_OAUTH_PAGES = {"/oauth/authorize": "oauth.authorize", "/oauth/token": "oauth.token"}


@dataclass(kw_only=True, eq=False)
class DemoPortal(Options):
    """A portal that listens to nobody but its ASGI server."""

    requests: list[LoggedRequest] = field(default_factory=list[LoggedRequest], init=False)
    """Every request so far, oldest first; those to the control address are not among them."""

    def __post_init__(self) -> None:
        self._skew = 0.0
        self._born = self.clock()
        self.faults = FaultPlan()
        self.tokens = TokenStore(self.seed)
        self._bucket = LeakyBucket()
        self._router = Router(self, self.tokens, self.faults)

    @cached_property
    def world(self) -> World:
        """People, chats and lists, generated on first use and dated back from the portal's construction."""
        return generate(self.seed, self.chats, self._born)

    def now(self) -> float:
        """Unix seconds on the portal's clock."""
        return self.clock() + self._skew

    def advance(self, seconds: float) -> None:
        """Put the portal's clock forward."""
        self._skew += seconds

    def webhook(self, user_id: int = ME, base: str | None = None) -> str:
        """Give the address of a user's incoming webhook, with a slash at its end."""
        origin = f"https://{self.domain}" if base is None else base.rstrip("/")
        return f"{origin}/rest/{user_id}/{webhook_code(self.seed, user_id)}/"

    def token(self, user_id: int = ME) -> TokenPair:
        """Issue a fresh pair of tokens, as if the user had allowed the application."""
        return self.tokens.issue(user_id, self.now())

    def code(self, user_id: int = ME) -> str:
        """Write an authorization code, as if the user had just allowed the application."""
        return self.tokens.code(user_id, self.now())

    def fail(self, method: str, fault: Fault, calls: Calls = None) -> None:
        """Let the chosen ones of the following calls of a method fail; `*` is every request."""
        self.faults.add(method, fault, calls)

    def heal(self) -> None:
        """Forget all faults."""
        self.faults.clear()

    def add_chat(self, scene: ChatFixture, age: float = 0.0) -> int | str:
        """Set up one more chat for the default user; its dialog id."""
        stage = FixtureBuilder.of(self.world, self.seed, self.now())
        chat = stage.set_up(scene, scene.age or age)
        stage.number_messages()
        return dialog_id(chat, ME)

    def say(self, dialog: int | str, author: int, text: str, user_id: int = ME) -> int:
        """Let somebody write into a chat that the user knows by this dialog id; the message's id."""
        chat = self.world.find(user_id, str(dialog))
        if chat is None:
            raise LookupError(f"User {user_id} knows no chat {dialog}.")
        return self.world.say(chat, Message(author, text, self.now())).id

    def override(self, items: list[object], user_id: int = ME) -> None:
        """Let both recent lists give a user exactly these raw items."""
        self.world.overrides[user_id] = items

    def reset(self) -> None:
        """Start again: a fresh world, an empty bucket, no faults, no requests, no tokens."""
        self.__dict__.pop("world", None)
        self.requests.clear()
        self.__post_init__()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI 3 application."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            message = await receive_message(scope, receive)
            if message.path.startswith(control.ROOT):
                await deliver(control.answer(self, message), Fault(), send, hang_up_of(scope))
            else:
                await self._serve(scope, message, receive, send)

    async def _serve(self, scope: Scope, message: HttpRequest, receive: Receive, send: Send) -> None:
        invoked = invocation(message)
        request = _request(message, invoked, self.now())
        self.requests.append(request)
        fault = self.faults.strike(request.method)
        reply = self._reply(message, invoked, request, fault)
        await asyncio.sleep(self.latency + fault.delay)
        if fault.silent:
            await never(receive)
        elif fault.close == "before":
            hang_up_of(scope)()
        else:
            request.answered(reply)
            await deliver(reply, fault, send, hang_up_of(scope))

    def _reply(
        self, message: HttpRequest, invoked: Invocation | None, request: LoggedRequest, fault: Fault
    ) -> Response:
        if fault.expire:
            self.tokens.expire(self.now())
        if fault.full_bucket:
            self._bucket.fill(message.client, self.now(), self.burst)
        true = self._true_reply(message, invoked, request) if fault.spares else Response(200, b"")
        reply = self._false_reply(message, request, fault) if fault.replaces else true
        reply.headers |= {name.lower(): value for name, value in fault.headers.items()}
        return reply

    def _true_reply(
        self, message: HttpRequest, invoked: Invocation | None, request: LoggedRequest
    ) -> Response:
        if request.method == "oauth.authorize":
            return oauth.authorize(message, self, self.world, self.tokens, self.now())
        if request.method == "oauth.token":
            return oauth.token(message, self, self.tokens, self.now())
        if invoked is None:
            return html(404, "404 Not Found")
        return envelope.permission() if message.verb == "OPTIONS" else self._answer(message, invoked, request)

    def _answer(self, message: HttpRequest, invoked: Invocation, request: LoggedRequest) -> Response:
        try:
            return self._rest(message, invoked, request)
        except RestError as error:
            request.refused(error)
            return envelope.failure(self, error)
        except PhpTypeError:
            return html(500, "500 Internal Server Error")

    def _rest(self, message: HttpRequest, invoked: Invocation, request: LoggedRequest) -> Response:
        now = self.now()
        if not self._bucket.admits(message.client, now, self.rate, self.burst):
            raise RestError("QUERY_LIMIT_EXCEEDED")
        caller = self._router.identify(invoked, message.scheme, self.world, now)
        request.user = caller.user
        page = self._router.answer(invoked, caller, self.world, now, request.inner)
        limiter = self._router.limiter(caller, invoked.method, now)
        reply = envelope.success(self, page, envelope.time_block(self, now, self.now(), limiter))
        if self.operating == "cloud" and not caller.by_webhook:
            reply.headers["x-bitrix-rest-application"] = self.client_id
        return reply

    def _false_reply(self, message: HttpRequest, request: LoggedRequest, fault: Fault) -> Response:
        if fault.error is not None:
            error = RestError(fault.error, fault.text, fault.status)
            request.refused(error)
            reply = envelope.failure(self, error)
        elif fault.redirect is not None:
            reply = Response(fault.status or 302, b"", {"location": _moved(fault.redirect, message)})
        elif fault.html:
            status = HTTPStatus(fault.status or 502)
            reply = html(status, f"{status.value} {status.phrase}", "<hr><center>nginx</center>")
        else:
            reply = self._given(fault)
        return reply

    def _given(self, fault: Fault) -> Response:
        status = fault.status or 200
        if fault.body is None or isinstance(fault.body, str | bytes):
            body = fault.body or b""
            return Response(
                status, body if isinstance(body, bytes) else body.encode(), {"content-type": "text/plain"}
            )
        return envelope.reply(self, status, fault.body)


def _request(message: HttpRequest, invoked: Invocation | None, now: float) -> LoggedRequest:
    page = _OAUTH_PAGES.get(message.path.rstrip("/"), "")
    if invoked:
        return LoggedRequest(invoked.method, message.verb, message.path, invoked.params, now)
    return LoggedRequest(page, message.verb, message.path, dict(message.form), now)


def _moved(address: str, message: HttpRequest) -> str:
    """Complete an origin with the path and the query of the request."""
    if urlsplit(address).path.strip("/"):
        return address
    return address.rstrip("/") + message.path + (f"?{message.query}" if message.query else "")


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
