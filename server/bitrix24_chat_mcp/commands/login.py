"""`bitrix24-chat-mcp login` and `logout`: one user signs in with Bitrix24 on this machine, and out again."""

import asyncio
import secrets
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.auth import pages
from bitrix24_chat_mcp.portal.api.client import Portal
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request, read
from bitrix24_chat_mcp.portal.oauth.refresh import TokenRefresher
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.runtime.portal_access import open_shared_state, open_token_refresher
from bitrix24_chat_mcp.settings.load import ConfigError, Settings

from .console import CommandError, load_settings, one_line

T = TypeVar("T")
BROWSER_TIMEOUT = 300
"""Seconds to wait for the browser to come back from the portal."""


def login(options: dict[str, Any]) -> int:
    """Sign a user in and keep the pair of tokens. Raises CommandError, ConfigError or PortalError."""
    browser, by_hand = not options.pop("no_browser", False), options.pop("by_hand", False)
    settings = load_settings(options)
    client = HttpClient()
    refresher = _token_refresher(settings, client)
    if by_hand:
        code, redirect_uri = _ask_for_code(refresher), None
    else:
        code, redirect_uri = _await_browser(refresher, settings.oauth.redirect_url, browser=browser)
    if not code:
        raise CommandError("nobody signed in; begin again with `bitrix24-chat-mcp login`")
    print(one_line(asyncio.run(_exchange(refresher, client, code, redirect_uri))))
    return 0


def logout(options: dict[str, Any]) -> int:
    """Delete the pair of tokens. Raises ConfigError or PortalError."""
    refresher = _token_refresher(load_settings(options), HttpClient())
    asyncio.run(refresher.sign_out(refresher.application.portal))
    print(one_line(f"Signed out of {refresher.application.portal}: its tokens are forgotten here."))
    return 0


def _token_refresher(settings: Settings, client: HttpClient) -> TokenRefresher:
    refresher = open_token_refresher(settings, client, open_shared_state(settings))
    if refresher is None:
        raise ConfigError(
            "oauth: set oauth.portal, oauth.client_id and oauth.client_secret of a local application first"
        )
    return refresher


async def _exchange(
    refresher: TokenRefresher, client: HttpClient, code: str, redirect_uri: str | None
) -> str:
    """Exchange the code for tokens and keep them; return a sentence that says who signed in."""

    async def send(request: Request[T]) -> ApiResult[T]:
        return read(request, await client.send(request))

    try:
        pair = await refresher.exchange_code(code, redirect_uri)
        credentials = await refresher.sign_in(refresher.application.portal, pair)
        name = sanitize(await Portal(send, credentials).owner())
    finally:
        await client.aclose()
    return f"Signed in at {pair.portal} as {name} (user {pair.user})."


def _ask_for_code(refresher: TokenRefresher) -> str:
    page = refresher.application.authorization_url(secrets.token_urlsafe(16), None)
    print(f"Open this address, allow the application, and copy the code within 30 seconds:\n\n  {page}\n")
    try:
        return input("Code: ").strip()
    except EOFError:  # no terminal, or Ctrl-D
        return ""


def _await_browser(refresher: TokenRefresher, fixed: str | None, *, browser: bool) -> tuple[str, str]:
    """Return the code that the browser brings to a loopback address, and that address."""
    state = secrets.token_urlsafe(32)
    where = urlsplit(fixed or "http://127.0.0.1:0/")
    try:
        listener = _Listener((where.hostname or "127.0.0.1", where.port or 0), state)
    except OSError as error:
        raise ConfigError(f"oauth.redirect_url: cannot listen there ({error.strerror})") from None
    with listener:
        redirect_uri = fixed or f"http://127.0.0.1:{listener.server_port}/"
        page = refresher.application.authorization_url(state, redirect_uri)
        print(f"To sign in, open this address:\n\n  {page}\n", flush=True)
        if browser:
            webbrowser.open(page)
        return listener.await_code(), redirect_uri


class _Listener(HTTPServer):
    """Listens for the browser's redirect from the portal."""

    def __init__(self, address: tuple[str, int], state: str) -> None:
        super().__init__(address, _RedirectHandler)
        self.state = state
        self.code = ""
        self.timeout = BROWSER_TIMEOUT
        self.ended = False

    def await_code(self) -> str:
        """Return the code, or nothing if the user declines or no browser comes in time."""
        while not self.ended:
            self.handle_request()
        return self.code

    def handle_timeout(self) -> None:
        self.ended = True


class _RedirectHandler(BaseHTTPRequestHandler):
    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 10

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        code, state, error = (query.get(name, [""])[0] for name in ("code", "state", "error"))
        if not (code or error) or not secrets.compare_digest(state.encode(), self.server.state.encode()):
            return self._respond(400, "not_ours")
        self.server.code, self.server.ended = code, True
        return self._respond(200, "done" if code else "declined")

    def _respond(self, status: int, notice: pages.Notice) -> None:
        body = pages.notice(notice, self.headers.get("Accept-Language", "")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", pages.policy())
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Log nothing: the address holds the code."""
