"""The portal itself: one ASGI application over a world, its limits, its credentials and its faults."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import urlsplit

from . import control, envelope, oauth
from .credentials import webhook_code
from .dispatch import Desk
from .faults import Calls, Fault, Plan
from .generate import Stage, generate
from .limits import Bucket
from .people import ME
from .records import Request
from .refusals import PhpTypeError, RestError
from .replies import Reply, deliver, hang_up_of, html, never
from .scenes import Scene
from .state import Message as ChatMessage
from .state import World, dialog_id
from .switches import Switches
from .tokens import Pair, Tokens
from .wire import Invocation, Message, Receive, Scope, Send, invocation, receive_message

_OAUTH_PAGES = {"/oauth/authorize": "oauth.authorize", "/oauth/token": "oauth.token"}


@dataclass(kw_only=True, eq=False)
class DemoPortal(Switches):
    """A portal that listens to nobody but its ASGI server."""

    requests: list[Request] = field(default_factory=list[Request], init=False)
    """Every request so far, oldest first; those to the control address are not among them."""

    def __post_init__(self) -> None:
        self._skew = 0.0
        self._born = self.clock()
        self.faults = Plan()
        self.tokens = Tokens(self.seed)
        self._bucket = Bucket()
        self._desk = Desk(self, self.tokens, self.faults)

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

    def token(self, user_id: int = ME) -> Pair:
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

    def add_chat(self, scene: Scene, age: float = 0.0) -> int | str:
        """Set up one more chat for the default user; its dialog id."""
        stage = Stage.of(self.world, self.seed, self.now())
        chat = stage.set_up(scene, scene.age or age)
        stage.number_messages()
        return dialog_id(chat, ME)

    def say(self, dialog: int | str, author: int, text: str, user_id: int = ME) -> int:
        """Let somebody write into a chat that the user knows by this dialog id; the message's id."""
        chat = self.world.find(user_id, str(dialog))
        if chat is None:
            raise LookupError(f"User {user_id} knows no chat {dialog}.")
        return self.world.say(chat, ChatMessage(author, text, self.now())).id

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

    async def _serve(self, scope: Scope, message: Message, receive: Receive, send: Send) -> None:
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

    def _reply(self, message: Message, invoked: Invocation | None, request: Request, fault: Fault) -> Reply:
        if fault.expire:
            self.tokens.expire(self.now())
        if fault.full_bucket:
            self._bucket.fill(message.client, self.now(), self.burst)
        true = self._true_reply(message, invoked, request) if fault.spares else Reply(200, b"")
        reply = self._false_reply(message, request, fault) if fault.replaces else true
        reply.headers |= {name.lower(): value for name, value in fault.headers.items()}
        return reply

    def _true_reply(self, message: Message, invoked: Invocation | None, request: Request) -> Reply:
        if request.method == "oauth.authorize":
            return oauth.authorize(message, self, self.world, self.tokens, self.now())
        if request.method == "oauth.token":
            return oauth.token(message, self, self.tokens, self.now())
        if invoked is None:
            return html(404, "404 Not Found")
        return envelope.permission() if message.verb == "OPTIONS" else self._answer(message, invoked, request)

    def _answer(self, message: Message, invoked: Invocation, request: Request) -> Reply:
        try:
            return self._rest(message, invoked, request)
        except RestError as error:
            request.refused(error)
            return envelope.failure(self, error)
        except PhpTypeError:
            return html(500, "500 Internal Server Error")

    def _rest(self, message: Message, invoked: Invocation, request: Request) -> Reply:
        now = self.now()
        if not self._bucket.admits(message.client, now, self.rate, self.burst):
            raise RestError("QUERY_LIMIT_EXCEEDED")
        caller = self._desk.identify(invoked, message.scheme, self.world, now)
        request.user = caller.user
        page = self._desk.answer(invoked, caller, self.world, now, request.inner)
        limiter = self._desk.limiter(caller, invoked.method, now)
        reply = envelope.success(self, page, envelope.time_block(self, now, self.now(), limiter))
        if self.operating == "cloud" and not caller.by_webhook:
            reply.headers["x-bitrix-rest-application"] = self.client_id
        return reply

    def _false_reply(self, message: Message, request: Request, fault: Fault) -> Reply:
        if fault.error is not None:
            error = RestError(fault.error, fault.text, fault.status)
            request.refused(error)
            reply = envelope.failure(self, error)
        elif fault.redirect is not None:
            reply = Reply(fault.status or 302, b"", {"location": _moved(fault.redirect, message)})
        elif fault.html:
            status = HTTPStatus(fault.status or 502)
            reply = html(status, f"{status.value} {status.phrase}", "<hr><center>nginx</center>")
        else:
            reply = self._given(fault)
        return reply

    def _given(self, fault: Fault) -> Reply:
        status = fault.status or 200
        if fault.body is None or isinstance(fault.body, str | bytes):
            body = fault.body or b""
            return Reply(
                status, body if isinstance(body, bytes) else body.encode(), {"content-type": "text/plain"}
            )
        return envelope.reply(self, status, fault.body)


def _request(message: Message, invoked: Invocation | None, now: float) -> Request:
    page = _OAUTH_PAGES.get(message.path.rstrip("/"), "")
    if invoked:
        return Request(invoked.method, message.verb, message.path, invoked.params, now)
    return Request(page, message.verb, message.path, dict(message.form), now)


def _moved(address: str, message: Message) -> str:
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
