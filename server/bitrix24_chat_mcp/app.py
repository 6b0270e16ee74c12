"""Builds the server: registers tools, resources and prompts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mcp.server import CacheHint
from mcp.server.mcpserver import MCPServer, RequestStateSecurity
from mcp.server.mcpserver.resources import FunctionResource

from . import __version__, asking, completing, icons, prompting, resources, toolbox, watching, wording
from .config import Settings
from .entrance import open_entrance
from .mcp_server import apps
from .portal.carrier import Carrier
from .protocol import ChatServer
from .service import Service, open_service

_STABLE = CacheHint(ttl_ms=3_600_000, scope="public")


def build_server(settings: Settings, carrier: Carrier | None = None) -> ChatServer:
    """Return a server that is ready to serve, and has touched nothing yet.

    `carrier` takes the place of the one to the network.
    """
    entrance = open_entrance(settings, carrier)
    tools = toolbox.offered(read_only=settings.read_only)
    shows_page = settings.ui == "auto"

    @asynccontextmanager
    async def lifespan(_: MCPServer[Service]) -> AsyncGenerator[Service]:
        async with open_service(settings, entrance) as service:
            yield service

    server = ChatServer(
        "bitrix24-chat-mcp",
        title="Bitrix24 chats",
        version=__version__,
        instructions=wording.read("instructions"),
        tools=apps.linked(tools) if shows_page else tools,
        resources=[_recent()],
        extensions=[apps.extension(tools)] if shows_page else [],
        lifespan=lifespan,
        middleware=[asking.remember, watching.watch_streams],
        log_level="WARNING",
        cache_hints={"tools/list": _STABLE, "prompts/list": _STABLE},
        request_state_security=_state_security(settings),
    )
    server.entrance = entrance
    for prompt in prompting.prompts():
        server.add_prompt(prompt)
    server.resource(resources.CHAT, title="A chat", mime_type="text/plain", icons=icons.CHATS)(resources.chat)
    server.completion()(completing.complete)
    server.serve_subscriptions(watching.Subscriptions())
    return server


def _state_security(settings: Settings) -> RequestStateSecurity | None:
    """Return the seal of what clients carry for us; None leaves it to a key of this process."""
    key = settings.http.state_key
    return RequestStateSecurity(keys=[key.get_secret_value()]) if key else None


def _recent() -> FunctionResource:
    return FunctionResource(
        uri=resources.RECENT,
        name="recent",
        title="Recent chats",
        description="The user's recent Bitrix24 chats, as list_recent_chats gives them.",
        mime_type="text/plain",
        icons=icons.CHATS,
        fn=resources.recent,
    )
