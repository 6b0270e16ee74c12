"""Ways to serve: stdio, and Streamable HTTP on loopback."""

import gc
import os
import re
import socket
import sys
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.settings.load import ConfigError, Settings
from bitrix24_chat_mcp.settings.sections import HttpSettings

from .offer import READONLY_HEADER, TOOLSETS_HEADER
from .server import ChatServer

if TYPE_CHECKING:
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

PATH = "/mcp"
_MOST_BODY = 64 * 1024  # bytes, anywhere but at PATH
_MOST_CONCURRENT = 3000  # connections beside the streams of sessions; beyond that 503
_CORS_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Last-Event-ID",
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Session-Id",
    "X-Bitrix24-Webhook",
    TOOLSETS_HEADER,
    READONLY_HEADER,
)


def serve(server: ChatServer, settings: Settings) -> None:
    """Serve until the host closes stdin, or a signal ends the process. Raises ConfigError."""
    if settings.shared.url:
        _check_shared_state(settings.shared.url.get_secret_value())
    if settings.transport == "http":
        _serve_http(server, settings.http)
    else:
        server.run("stdio")


def _check_shared_state(url: str) -> None:
    """Find a wrong address or password of what servers share before anybody calls; raise ConfigError."""
    from bitrix24_chat_mcp.runtime import shared_state  # noqa: PLC0415 - see portal_access

    anyio.run(shared_state.check, url)


def http_app(server: ChatServer, http: HttpSettings, documents: HttpClient | None = None) -> "Starlette":
    """Return the ASGI application: `/mcp`, `/mcp/`, `/healthz`, `/readyz`, and the endpoints of OAuth.

    `documents` replaces the HTTP client that fetches clients' metadata documents. Raises ConfigError.
    """
    from mcp.server.streamable_http_manager import StreamableHTTPASGIApp  # noqa: PLC0415 - stdio needs none
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.middleware import Middleware  # noqa: PLC0415
    from starlette.routing import BaseRoute, Route  # noqa: PLC0415

    from .http_middleware import BodyLimit, ErrorResponses, HeaderCheck, OneEngineUse  # noqa: PLC0415

    sessions = server.http_sessions(http, _transport_security(http))
    endpoint: ASGIApp = BodyLimit(StreamableHTTPASGIApp(sessions), http.max_body_bytes, http.request_seconds)
    oauth_routes = list[BaseRoute]()
    if http.auth:
        endpoint, oauth_routes = _authenticated(endpoint, server, http, documents)
    endpoint = _with_cors(OneEngineUse(endpoint), http.allowed_origins)
    # Some clients cannot follow a redirect with a POST, so both spellings lead to the same place.
    paths = (PATH, f"{PATH}/")
    ready = Route("/readyz", partial(_ready, server))
    app = Starlette(
        routes=[*(Route(path, endpoint) for path in paths), Route("/healthz", _health), ready, *oauth_routes],
        middleware=[
            Middleware(ErrorResponses),
            Middleware(HeaderCheck),
            Middleware(BodyLimit, _MOST_BODY, http.request_seconds, exempt=paths),
        ],
        lifespan=lambda _: sessions.run(),
    )
    app.router.redirect_slashes = False  # it would redirect to the host that the request names
    return app


async def _health(_: "Request") -> "Response":
    from starlette.responses import JSONResponse  # noqa: PLC0415

    return JSONResponse({"status": "ok"})


async def _ready(server: ChatServer, _: "Request") -> "Response":
    """Tell a proxy whether this server can do everything: it cannot without what it shares with others."""
    from starlette.responses import JSONResponse  # noqa: PLC0415

    shared = server.context.access.shared
    trouble = await shared.engine.trouble_now() if shared else ""
    if trouble:
        return JSONResponse({"status": "unavailable", "reason": f"shared.url: {trouble}"}, 503)
    return JSONResponse({"status": "ok"})


def _authenticated(
    endpoint: "ASGIApp", server: ChatServer, http: HttpSettings, documents: HttpClient | None
) -> "tuple[ASGIApp, list[BaseRoute]]":
    from bitrix24_chat_mcp.auth.setup import protect  # noqa: PLC0415 - only servers with authentication need it

    context = server.context
    try:
        return protect(endpoint, http, PATH, context.access, context.send, documents)
    except PortalError as error:
        raise ConfigError(f"oauth.store: {error}") from None


def _with_cors(endpoint: "ASGIApp", origins: Collection[str]) -> "ASGIApp":
    """Let web pages of these origins use the endpoint; `https://app.example:*` stands for any port."""
    if not origins:
        return endpoint
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415

    ports = "|".join(re.escape(origin[:-2]) + r":\d+" for origin in origins if origin.endswith(":*"))
    return CORSMiddleware(
        endpoint,
        allow_origins=[origin for origin in origins if not origin.endswith(":*")],
        allow_origin_regex=ports or None,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=_CORS_REQUEST_HEADERS,
        expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
    )


def _transport_security(http: HttpSettings) -> "TransportSecuritySettings":
    """Accept loopback, which no other machine reaches, the public address, and what the settings list."""
    from mcp.server.transport_security import TransportSecuritySettings  # noqa: PLC0415

    loopback = ("127.0.0.1", "localhost", "[::1]")
    hosts = [f"{name}:*" for name in loopback]
    origins = [f"http://{name}:*" for name in loopback]
    if http.public_url:
        parts = urlsplit(http.public_url)
        hosts.append(parts.netloc)
        origins.append(f"{parts.scheme}://{parts.netloc}")
    return TransportSecuritySettings(
        allowed_hosts=[*hosts, *http.allowed_hosts], allowed_origins=[*origins, *http.allowed_origins]
    )


def _serve_http(server: ChatServer, http: HttpSettings) -> None:
    import uvicorn  # noqa: PLC0415 - stdio does not need it

    from .connections import connection_class  # noqa: PLC0415

    app = http_app(server, http)
    listener = open_listener(http)
    address = f"[{http.host}]" if ":" in http.host else http.host
    print(f"Serving on http://{address}:{listener.getsockname()[1]}{PATH}", file=sys.stderr, flush=True)
    config = uvicorn.Config(
        app,
        http=connection_class(http.request_seconds, http.max_body_bytes + _MOST_BODY),
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
        limit_concurrency=http.max_sessions + _MOST_CONCURRENT,
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=bool(http.trusted_proxies),
        forwarded_allow_ips=list(http.trusted_proxies),
    )
    gc.freeze()  # what was imported stays, so that no collection looks through it and holds up callers
    uvicorn.Server(config).run(sockets=[listener])  # with uvloop and httptools where they exist


def open_listener(http: HttpSettings) -> socket.socket:
    """Listen at `http.host` and `http.port`; raise ConfigError when that cannot be."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    # With the protocol named, or asyncio leaves out TCP_NODELAY and each answer waits 40 ms for the client.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # as socket.create_server does: elsewhere it would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((http.host, http.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigError(f"http.port: cannot listen at {http.host}:{http.port} ({error.strerror})") from None
    return listener
