"""`bitrix24-chat-mcp login` and `logout`: one user signs in with Bitrix24, on this machine."""

import asyncio
import secrets
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from bitrix24_chat_mcp.answers.failure import describe
from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.answers.terminal import line
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request, parse_response, read
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.runtime.portal_access import open_shared_state, open_token_refresher
from bitrix24_chat_mcp.settings.load import ConfigError, Settings, load

T = TypeVar("T")
PATIENCE = 300
"""Seconds for which the browser is waited for."""
_DONE = b"Signed in. You may close this page and return to the terminal."
_NOT_OURS = b"This is no answer to the sign-in that was begun here."


def login(options: dict[str, Any]) -> int:
    """Sign a user in and keep the pair of tokens; return the exit status."""
    browser, by_hand = not options.pop("no_browser", False), options.pop("by_hand", False)
    settings = load(**options)
    carrier = HttpClient()
    sign_ins = _sign_ins(settings, carrier)
    if by_hand:
        code, redirect_uri = _ask(sign_ins), None
    else:
        code, redirect_uri = _await_browser(sign_ins, settings.oauth.redirect_url, browser=browser)
    if not code:
        return _failed("nobody signed in; begin again with `bitrix24-chat-mcp login`")
    try:
        print(line(asyncio.run(_finish(sign_ins, carrier, code, redirect_uri))))
    except PortalError as error:
        return _failed(describe(error))
    return 0


def logout(options: dict[str, Any]) -> int:
    """Forget the pair; return the exit status."""
    sign_ins = _sign_ins(load(**options), HttpClient())
    try:
        asyncio.run(sign_ins.sign_out(sign_ins.application.portal))
    except PortalError as error:
        return _failed(describe(error))
    print(line(f"Signed out of {sign_ins.application.portal}: its tokens are forgotten here."))
    return 0


def _sign_ins(settings: Settings, carrier: HttpClient) -> TokenRefresher:
    sign_ins = open_token_refresher(settings, carrier, open_shared_state(settings))
    if sign_ins is None:
        raise ConfigError(
            "oauth: set oauth.portal, oauth.client_id and oauth.client_secret of a local application first"
        )
    return sign_ins


async def _finish(sign_ins: TokenRefresher, carrier: HttpClient, code: str, redirect_uri: str | None) -> str:
    async def send(request: Request[T]) -> ApiResult[T]:
        return read(request, parse_response(await carrier.send(request)))

    try:
        pair = await sign_ins.exchange_code(code, redirect_uri)
        who = await sign_ins.sign_in(sign_ins.application.portal, pair)
        name = sanitize(await Portal(send, who).owner())
    finally:
        await carrier.aclose()
    return f"Signed in at {pair.portal} as {name} (user {pair.user})."


def _ask(sign_ins: TokenRefresher) -> str:
    page = sign_ins.application.authorization_url(secrets.token_urlsafe(16), None)
    print(f"Open this address, allow the application, and copy the code within 30 seconds:\n\n  {page}\n")
    return input("Code: ").strip()


def _await_browser(sign_ins: TokenRefresher, fixed: str | None, *, browser: bool) -> tuple[str, str]:
    """Return the code that the browser brings to a loopback address, and that address."""
    state = secrets.token_urlsafe(32)
    where = urlsplit(fixed or "http://127.0.0.1:0/")
    try:
        listener = _Listener((where.hostname or "127.0.0.1", where.port or 0), state)
    except OSError as error:
        raise ConfigError(f"oauth.redirect_url: cannot listen there ({error.strerror})") from None
    with listener:
        redirect_uri = fixed or f"http://127.0.0.1:{listener.server_port}/"
        page = sign_ins.application.authorization_url(state, redirect_uri)
        print(f"To sign in, open this address:\n\n  {page}\n", flush=True)
        if browser:
            webbrowser.open(page)
        return listener.await_code(), redirect_uri


class _Listener(HTTPServer):
    """Listens for the browser that comes back from the portal."""

    def __init__(self, address: tuple[str, int], state: str) -> None:
        super().__init__(address, _Return)
        self.state = state
        self.code = ""
        self.timeout = PATIENCE
        self.expired = False

    def await_code(self) -> str:
        """Return the code, or nothing when patience is at its end."""
        while not self.code and not self.expired:
            self.handle_request()
        return self.code

    def handle_timeout(self) -> None:
        self.expired = True


class _Return(BaseHTTPRequestHandler):
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 10

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        code, state = (asked.get(name, [""])[0] for name in ("code", "state"))
        if not code or not secrets.compare_digest(state.encode(), self.server.state.encode()):
            return self._say(400, _NOT_OURS)
        self.server.code = code
        return self._say(200, _DONE)

    def _say(self, status: int, said: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Log nothing: the address holds the code."""


def _failed(said: str) -> int:
    print("bitrix24-chat-mcp:", line(said))
    return 1
