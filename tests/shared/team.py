"""A team's servers behind one address: each request goes to the next of them, as a proxy would do it."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bitrix24_chat_mcp.mcp_server.app import build_server
from bitrix24_chat_mcp.mcp_server.transports import http_app
from bitrix24_chat_mcp.portal.shared.engine import Engine
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient, in_process
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_demo_portal import DemoPortal
from bitrix24_demo_portal.asgi.server import serving
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from support.team import ORIGIN, STATE_KEY, free_port


@dataclass
class Proxy:
    """Passes each request to the next server, or to the one that `routes` names for its path."""

    servers: list[ASGIApp] = field(default_factory=list[ASGIApp])
    routes: dict[str, int] = field(default_factory=dict[str, int])
    requests: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    bodies: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The last body of each path."""
    _turns: Iterator[int] = field(default_factory=count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        turn = self.routes.get(path, next(self._turns) % len(self.servers))
        self.requests.append((turn, path))

        async def read() -> Message:
            message = await receive()
            if body := message.get("body"):
                self.bodies[path] = body
            return message

        await self.servers[turn](scope, read, send)


@dataclass
class Team:
    """The servers' common address and those of each, and their engines."""

    base: str
    proxy: Proxy
    each: list[str]
    engines: list[Engine]


@asynccontextmanager
async def team(
    portal: DemoPortal, url: str | list[str], size: int = 4, *, port: int = 0, **settings: Any
) -> AsyncGenerator[Team]:
    """Start the servers of one portal, which share the engine at `url`; of several, each has one."""
    port = port or free_port()
    base, proxy, each, engines = f"http://127.0.0.1:{port}", Proxy(), list[str](), list[Engine]()
    http = {"auth": ["bitrix24"], "public_url": base, "state_key": STATE_KEY} | settings.pop("http", {})
    application = {
        "portal": ORIGIN,
        "server": ORIGIN,
        "client_id": portal.client_id,
        "client_secret": portal.client_secret,
    }
    limits = {"rate": 1000, "burst": 1_000_000}
    tables = {"limits": limits, "oauth": application, "http": http, **settings}
    async with AsyncExitStack() as stack:
        for number in range(size):
            shared = {"url": url if isinstance(url, str) else url[number]}
            chosen = Settings.model_validate({"transport": "http", "shared": shared, **tables})
            server = build_server(chosen, HttpClient(transport=in_process(portal)))
            app = http_app(server, chosen.http)
            each.append(await stack.enter_async_context(serving(app)))
            proxy.servers.append(app)
            assert server.context.access.shared
            engines.append(server.context.access.shared.engine)
        address = await stack.enter_async_context(serving(_without_lifespan(proxy), port))
        yield Team(address, proxy, each, engines)


def _without_lifespan(proxy: Proxy) -> ASGIApp:
    """Answer for the servers' lifespans, which have begun already."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            return await proxy(scope, receive, send)
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return None

    return app
