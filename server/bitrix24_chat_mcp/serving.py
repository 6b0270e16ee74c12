"""Ways to serve: stdio, and Streamable HTTP on loopback."""

import socket
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .config import ConfigError, Settings
from .portal.carrier import Carrier
from .portal.errors import PortalError
from .protocol import ChatServer
from .settings import HttpSettings

if TYPE_CHECKING:
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/mcp"


def serve(server: ChatServer, settings: Settings) -> None:
    """Serve until the host, or a signal, says that it is enough."""
    if settings.transport == "http":
        _serve_http(server, settings.http)
    else:
        server.run("stdio")


def http_app(server: ChatServer, http: HttpSettings, documents: Carrier | None = None) -> "ASGIApp":
    """Return the ASGI application: `/mcp`, `/mcp/`, `/healthz`, and what signing in takes.

    `documents` takes the network's place for clients' metadata documents.
    """
    from starlette.responses import JSONResponse  # noqa: PLC0415 - stdio does not need it

    @server.custom_route("/healthz", methods=["GET"])
    async def _healthz(_: "Request") -> "Response":  # pyright: ignore[reportUnusedFunction]
        return JSONResponse({"status": "ok"})

    app = server.streamable_http_app(
        streamable_http_path=PATH,
        host=http.host,
        max_request_body_size=http.max_body_bytes,
        max_sessions=http.max_sessions,
        session_idle_timeout=http.session_idle_seconds,
        transport_security=_transport_security(http),
    )
    endpoint = _gated(app, server, http, documents) if http.auth else app

    async def without_slash(scope: "Scope", receive: "Receive", send: "Send") -> None:
        # Some clients cannot follow a redirect with a POST, so both spellings lead to the same place.
        if scope["type"] != "http" or scope["path"] not in {PATH, f"{PATH}/"}:
            return await app(scope, receive, send)
        return await endpoint({**scope, "path": PATH, "raw_path": PATH.encode()}, receive, send)

    return without_slash


def _gated(app: "Starlette", server: ChatServer, http: HttpSettings, documents: Carrier | None) -> "ASGIApp":
    from .team.house import House  # noqa: PLC0415 - only a server with callers to tell apart has one

    entrance = server.entrance
    try:
        return House(http, PATH, entrance.owner, entrance.sign_ins, documents).open(app, app)
    except PortalError as error:
        raise ConfigError(f"oauth.store: {error}") from None


def _transport_security(http: HttpSettings) -> "TransportSecuritySettings":
    """Accept loopback, where nobody else can be, the public address, and what is listed."""
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

    app = http_app(server, http)
    listener = _listen(http)
    address = f"[{http.host}]" if ":" in http.host else http.host
    print(f"Serving on http://{address}:{listener.getsockname()[1]}{PATH}", file=sys.stderr, flush=True)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=bool(http.trusted_proxies),
        forwarded_allow_ips=list(http.trusted_proxies),
    )
    uvicorn.Server(config).run(sockets=[listener])  # with uvloop and httptools where they exist


def _listen(http: HttpSettings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
        return socket.create_server((http.host, http.port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(f"http.port: cannot listen at {http.host}:{http.port} ({error.strerror})") from None
