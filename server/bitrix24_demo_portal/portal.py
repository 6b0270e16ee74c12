"""The portal: one ASGI application over its data, its limits, its credentials and its faults."""

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from urllib.parse import urlsplit

from . import oauth
from .asgi.request import HttpRequest, Receive, Scope, Send, read_request
from .asgi.response import Response, answer_lifespan, deliver, hang_up_of, html, never
from .data.chat_fixtures import ChatFixture
from .data.fixture_builder import FixtureBuilder, generate_world
from .data.people import ME
from .data.tokens import TokenPair, TokenStore
from .data.world import Message, World, dialog_id
from .faults import Calls, Fault, FaultPlan
from .options import Options
from .request_log import LoggedRequest
from .rest import envelope
from .rest.credentials import webhook_code
from .rest.errors import PhpTypeError, RestError
from .rest.rate_limit import LeakyBucket
from .rest.request import RestRequest, parse_rest_request
from .rest.router import Router

_OAUTH_PAGES = {"/oauth/authorize": "oauth.authorize", "/oauth/token": "oauth.token"}


@dataclass(kw_only=True, eq=False)
class DemoPortal(Options):
    """A Bitrix24 portal as an ASGI 3 application; see the package for an example."""

    requests: list[LoggedRequest] = field(default_factory=list[LoggedRequest], init=False)
    """Every request so far, oldest first."""

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
        return generate_world(self.seed, self.chats, self._born)

    def now(self) -> float:
        """Return unix seconds on the portal's clock."""
        return self.clock() + self._skew

    def advance(self, seconds: float) -> None:
        """Put the portal's clock forward."""
        self._skew += seconds

    def webhook(self, user_id: int = ME, base: str | None = None) -> str:
        """Return the address of a user's incoming webhook, with a slash at its end."""
        origin = f"https://{self.domain}" if base is None else base.rstrip("/")
        return f"{origin}/rest/{user_id}/{webhook_code(self.seed, user_id)}/"

    def token(self, user_id: int = ME) -> TokenPair:
        """Issue a fresh pair of tokens, as if the user had allowed the application."""
        return self.tokens.issue(user_id, self.now())

    def code(self, user_id: int = ME) -> str:
        """Issue an authorization code, as if the user had just allowed the application."""
        return self.tokens.code(user_id, self.now())

    def fail(self, method: str, fault: Fault, calls: Calls = None) -> None:
        """Let the chosen ones of the following calls of a method fail; `*` means every request."""
        self.faults.add(method, fault, calls)

    def heal(self) -> None:
        """Remove all faults."""
        self.faults.clear()

    def add_chat(self, fixture: ChatFixture, age: float = 0.0) -> int | str:
        """Add one more chat of the default user; return its dialog id."""
        builder = FixtureBuilder.for_one_more(self.world, self.seed, self.now())
        chat = builder.add(fixture, fixture.age or age)
        builder.number_messages()
        return dialog_id(chat, ME)

    def say(self, dialog: int | str, author: int, text: str, user_id: int = ME) -> int:
        """Post a message of `author` to a chat that `user_id` knows by this dialog id; return its id."""
        chat = self.world.find(user_id, str(dialog))
        if chat is None:
            raise LookupError(f"User {user_id} knows no chat {dialog}.")
        return self.world.say(chat, Message(author, text, self.now())).id

    def override(self, items: list[object], user_id: int = ME) -> None:
        """Let both recent lists return exactly these raw items to a user."""
        self.world.overrides[user_id] = items

    def reset(self) -> None:
        """Start again: fresh data, an empty bucket, no faults, no requests, no tokens."""
        self.__dict__.pop("world", None)
        self.requests.clear()
        self.__post_init__()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI 3 application."""
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        http = await read_request(scope, receive)
        call = parse_rest_request(http)
        logged = _logged(http, call, self.now())
        self.requests.append(logged)
        fault = self.faults.next_fault(logged.method)
        response = self._respond(http, call, logged, fault)
        await asyncio.sleep(self.latency + fault.delay)
        if fault.silent:
            await never(receive)
        elif fault.close == "before":
            hang_up_of(scope)()
        else:
            logged.status = response.status
            await deliver(response, fault, send, hang_up_of(scope))

    def _respond(
        self, http: HttpRequest, call: RestRequest | None, logged: LoggedRequest, fault: Fault
    ) -> Response:
        if fault.expire:
            self.tokens.expire(self.now())
        if fault.full_bucket:
            self._bucket.exhaust(http.client, self.now(), self.burst)
        real = self._real_response(http, call, logged) if fault.performs else Response(200, b"")
        response = self._faulty_response(http, logged, fault) if fault.replaces else real
        response.headers |= {name.lower(): value for name, value in fault.headers.items()}
        return response

    def _real_response(self, http: HttpRequest, call: RestRequest | None, logged: LoggedRequest) -> Response:
        if logged.method == "oauth.authorize":
            return oauth.authorize(http, self, self.world, self.tokens, self.now())
        if logged.method == "oauth.token":
            return oauth.token(http, self, self.tokens, self.now())
        if call is None:
            return html(404, "404 Not Found")
        return envelope.preflight() if http.verb == "OPTIONS" else self._rest_response(http, call, logged)

    def _rest_response(self, http: HttpRequest, call: RestRequest, logged: LoggedRequest) -> Response:
        try:
            return self._call_method(http, call, logged)
        except RestError as error:
            logged.error = error.code
            return envelope.failure(self, error)
        except PhpTypeError:
            return html(500, "500 Internal Server Error")

    def _call_method(self, http: HttpRequest, call: RestRequest, logged: LoggedRequest) -> Response:
        now = self.now()
        if not self._bucket.try_acquire(http.client, now, self.rate, self.burst):
            raise RestError("QUERY_LIMIT_EXCEEDED")
        caller = self._router.authenticate(call, http.scheme, self.world, now)
        logged.user = caller.user
        result = self._router.answer(call, caller, self.world, now, logged.inner)
        limiter = self._router.limiter(caller, call.method, now)
        response = envelope.success(self, result, envelope.time_block(self, now, self.now(), limiter))
        if self.operating == "cloud" and not caller.by_webhook:
            response.headers["x-bitrix-rest-application"] = self.client_id
        return response

    def _faulty_response(self, http: HttpRequest, logged: LoggedRequest, fault: Fault) -> Response:
        if fault.error is not None:
            logged.error = fault.error
            return envelope.failure(self, RestError(fault.error, fault.text, fault.status))
        if fault.redirect is not None:
            return Response(fault.status or 302, b"", {"location": _location(fault.redirect, http)})
        if fault.html:
            status = HTTPStatus(fault.status or 502)
            return html(status, f"{status.value} {status.phrase}", "<hr><center>nginx</center>")
        return self._literal_response(fault)

    def _literal_response(self, fault: Fault) -> Response:
        status = fault.status or 200
        if isinstance(fault.body, str | bytes | None):
            body = fault.body or b""
            raw = body if isinstance(body, bytes) else body.encode()
            return Response(status, raw, {"content-type": "text/plain"})
        return envelope.json_response(self, status, fault.body)


def _logged(http: HttpRequest, call: RestRequest | None, now: float) -> LoggedRequest:
    method = call.method if call else _OAUTH_PAGES.get(http.path.rstrip("/"), "")
    return LoggedRequest(method, http.verb, http.path, call.params if call else dict(http.form), now)


def _location(address: str, http: HttpRequest) -> str:
    """Complete an origin with the path and the query of the request."""
    if urlsplit(address).path.strip("/"):
        return address
    return address.rstrip("/") + http.path + (f"?{http.query}" if http.query else "")
