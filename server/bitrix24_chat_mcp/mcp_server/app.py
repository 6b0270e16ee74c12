"""Builds the server: registers tools, resources and prompts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mcp.server import CacheHint
from mcp.server.mcpserver import MCPServer, RequestStateSecurity
from mcp.server.mcpserver.resources import FunctionResource

from bitrix24_chat_mcp import __version__
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.runtime.context import AppContext, app_lifespan
from bitrix24_chat_mcp.runtime.portal_access import open_portal_access
from bitrix24_chat_mcp.settings.load import Settings

from . import completion, icons, prompts, request_context, resources, subscriptions, texts, tool_definitions
from .server import ChatServer

_STABLE = CacheHint(ttl_ms=3_600_000, scope="public")


def build_server(settings: Settings, carrier: HttpClient | None = None) -> ChatServer:
    """Return a server that is ready to serve, and has touched nothing yet.

    `carrier` takes the place of the one to the network.
    """
    entrance = open_portal_access(settings, carrier)

    @asynccontextmanager
    async def lifespan(_: MCPServer[AppContext]) -> AsyncGenerator[AppContext]:
        async with app_lifespan(settings, entrance) as service:
            server.service = service
            yield service

    polls = subscriptions.Subscriptions()
    server = ChatServer(
        "bitrix24-chat-mcp",
        title="Bitrix24 chats",
        version=__version__,
        instructions=texts.read("instructions"),
        tools=tool_definitions.build_tools(read_only=settings.read_only),
        resources=[_recent()],
        lifespan=lifespan,
        middleware=[
            request_context.redact,
            request_context.bind_request,
            subscriptions.watch_streams,
            polls.note_caller,
        ],
        log_level="WARNING",
        cache_hints={"tools/list": _STABLE, "prompts/list": _STABLE},
        request_state_security=_state_security(settings),
    )
    server.entrance = entrance
    for prompt in prompts.prompts():
        server.add_prompt(prompt)
    server.resource(resources.CHAT, title="A chat", mime_type="text/plain", icons=icons.CHATS)(resources.chat)
    server.completion()(completion.complete)
    server.serve_subscriptions(polls)
    return server


def _state_security(settings: Settings) -> RequestStateSecurity | None:
    """Return the seal of what clients carry for us; None leaves it to a key of this process."""
    keys = [key.get_secret_value() for key in settings.http.state_key or ()]
    return RequestStateSecurity(keys=keys) if keys else None


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
