"""Ways to serve: stdio, and Streamable HTTP on loopback."""

import socket
import sys
from typing import TYPE_CHECKING

from .app import ChatServer, build_server
from .config import ConfigError, Settings
from .settings import HttpSettings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/mcp"


def serve(settings: Settings) -> None:
    """Serve until the host, or a signal, says that it is enough."""
    server = build_server(settings)
    if settings.transport == "http":
        _serve_http(server, settings.http)
    else:
        server.run("stdio")


def http_app(server: ChatServer, host: str) -> "ASGIApp":
    """Return the ASGI application: `/mcp`, `/mcp/` and `/healthz`."""

    @server.custom_route("/healthz", methods=["GET"])
    async def _healthz(_: "Request") -> "Response":  # pyright: ignore[reportUnusedFunction]
        from starlette.responses import JSONResponse  # noqa: PLC0415

        return JSONResponse({"status": "ok"})

    app = server.streamable_http_app(streamable_http_path=PATH, host=host)

    async def without_slash(scope: "Scope", receive: "Receive", send: "Send") -> None:
        # Some clients cannot follow a redirect with a POST, so both spellings lead to the same place.
        if scope["type"] == "http" and scope["path"] == f"{PATH}/":
            scope = {**scope, "path": PATH, "raw_path": PATH.encode()}
        await app(scope, receive, send)

    return without_slash


def _serve_http(server: ChatServer, http: HttpSettings) -> None:
    import uvicorn  # noqa: PLC0415 - stdio does not need it

    listener = _listen(http)
    address = f"[{http.host}]" if ":" in http.host else http.host
    print(f"Serving on http://{address}:{listener.getsockname()[1]}{PATH}", file=sys.stderr, flush=True)
    config = uvicorn.Config(
        http_app(server, http.host),
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=3,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])  # with uvloop and httptools where they exist


def _listen(http: HttpSettings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
        return socket.create_server((http.host, http.port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(f"http.port: cannot listen at {http.host}:{http.port} ({error.strerror})") from None
