"""Builds the server: its tools, resources, prompts and middleware, on top of the application's context."""

from mcp.server import CacheHint
from mcp.server.mcpserver import RequestStateSecurity
from mcp.server.mcpserver.resources import FunctionResource

from bitrix24_chat_mcp import __version__
from bitrix24_chat_mcp.portal.transport.http_client import HttpClient
from bitrix24_chat_mcp.runtime.context import AppContext
from bitrix24_chat_mcp.settings.load import Settings
from bitrix24_chat_mcp.settings.toolsets import TOOLSETS

from . import apps, completion, icons, prompts, resources, texts, tool_list
from .server import ChatServer

_STABLE = CacheHint(ttl_ms=3_600_000, scope="public")
_PRIVATE = CacheHint(ttl_ms=3_600_000, scope="private")
"""Of a list that depends on the client: some tools are offered only where its user can be asked."""


def build_server(settings: Settings, http_client: HttpClient | None = None) -> ChatServer:
    """Return a server that is ready to serve, and has touched neither network nor disk.

    `http_client` replaces the one to the network.
    """
    tools = tool_list.build_tools(settings)
    shows_page = settings.ui == "auto"
    server = ChatServer(
        AppContext(settings, http_client),
        "bitrix24-chat-mcp",
        title="Bitrix24 chats",
        version=__version__,
        instructions=_instructions(settings),
        tools=apps.linked(tools) if shows_page else tools,
        resources=[_recent()],
        extensions=[apps.extension(tools)] if shows_page else [],
        log_level="WARNING",
        cache_hints={"tools/list": _PRIVATE if settings.toolsets else _STABLE, "prompts/list": _STABLE},
        request_state_security=_state_security(settings),
    )
    for prompt in prompts.prompts():
        server.add_prompt(prompt)
    server.resource(resources.CHAT, title="A chat", mime_type="text/plain", icons=icons.CHATS)(resources.chat)
    server.completion()(completion.complete)
    return server


def _instructions(settings: Settings) -> str:
    """Return the instructions, with a sentence for each set that a tool is offered of."""
    sets = [name for name, tools in TOOLSETS.items() if not settings.tools.isdisjoint(tools)]
    return "\n".join([texts.read("instructions"), *(texts.read(f"toolsets/{name}") for name in sets)])


def _state_security(settings: Settings) -> RequestStateSecurity | None:
    """Return what seals the state that clients carry; None for a key of this process alone."""
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
