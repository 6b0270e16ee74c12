"""Between the protocol and the tools: whatever fails, a model reads a sentence about it."""

import logging
from typing import TYPE_CHECKING, Any, TypeVar

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    SubscribeRequestParams,
    TextContent,
    UnsubscribeRequestParams,
)
from pydantic import ValidationError

from bitrix24_chat_mcp.answers.failure import describe
from bitrix24_chat_mcp.answers.redaction import mask_secrets
from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.portal.api.errors import PipelineClosedError, PortalError
from bitrix24_chat_mcp.portal.api.rest import ApiResult, Request
from bitrix24_chat_mcp.runtime.context import AppContext
from bitrix24_chat_mcp.runtime.portal_access import PortalAccess
from bitrix24_chat_mcp.settings.sections import HttpSettings

from . import argument_errors as bad_arguments
from . import audit
from .subscriptions import Subscriptions

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

T = TypeVar("T")
_logger = logging.getLogger(__name__)
_MOST_SHOWN = 40


class ChatServer(MCPServer[AppContext]):
    """An MCPServer whose failures are answered in sentences, as tool errors."""

    entrance: PortalAccess
    """Whose chats it shows, for those who let people in."""
    service: AppContext | None = None
    """What its tools stand on, while it runs."""

    def http_sessions(
        self, http: HttpSettings, security: "TransportSecuritySettings"
    ) -> "StreamableHTTPSessionManager":
        """Return what serves it over HTTP, to be run once. It lets everybody in: a gate belongs before it."""
        from .sessions import BoundedSessions  # noqa: PLC0415 - stdio does not need it

        stateless = self.entrance.shared is not None
        return BoundedSessions(self._lowlevel_server, http, security, stateless=stateless)

    async def ask_portal(self, request: Request[T]) -> ApiResult[T]:
        """Send a request the way that the tools' requests go; raise a PortalError."""
        if self.service is None:
            raise PipelineClosedError
        return await self.service.line(request)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[AppContext, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; whatever fails, the model reads what happened and what to do next."""
        label = context.request_context.lifespan_context.label if context else ""
        tools = {tool.name: tool for tool in await self.list_tools()}
        if name not in tools:
            asked = sanitize(name, _MOST_SHOWN)
            return _failed(f"UNKNOWN_TOOL: there is no tool {asked!r} here, only {', '.join(tools)}.", label)
        if complaint := bad_arguments.unknown(name, arguments, list(tools[name].input_schema["properties"])):
            return _failed(complaint, label)
        _logger.debug("%s is called", name)
        hints = tools[name].annotations
        if context is None or (hints and hints.read_only_hint):
            return await self._answer(name, arguments, context, label)
        caller = await audit.named(context.request_context.lifespan_context.who)
        with audit.record(name, arguments, caller) as entry:
            answer = await self._answer(name, arguments, context, label)
            entry.outcome = _outcome(answer)
            return answer

    async def _answer(
        self, name: str, arguments: dict[str, Any], context: Context[AppContext, Any] | None, label: str
    ) -> CallToolResult | InputRequiredResult:
        try:
            return await super().call_tool(name, bad_arguments.given(arguments), context)
        except ToolError as error:
            return _failed(_explain(name, error.__cause__), label)

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[AppContext, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """Render a prompt; asking for one that is not there is the caller's mistake, and no crash."""
        known = [prompt.name for prompt in await self.list_prompts()]
        if name not in known:
            raise MCPError(
                INVALID_PARAMS,
                f"There is no prompt {sanitize(name, _MOST_SHOWN)!r}, only {', '.join(known)}.",
            )
        return await super().get_prompt(name, arguments, context)

    def serve_subscriptions(self, subscriptions: Subscriptions) -> None:
        """Serve `resources/subscribe`, which the SDK's own server leaves to the one below it."""
        serve = self._lowlevel_server.add_request_handler
        serve("resources/subscribe", SubscribeRequestParams, subscriptions.subscribe)
        serve("resources/unsubscribe", UnsubscribeRequestParams, subscriptions.unsubscribe)


def _outcome(answer: CallToolResult | InputRequiredResult) -> str:
    """Tell in a word what came of a call: the code that begins each of our failures, or `ok`."""
    if not isinstance(answer, CallToolResult):
        return "asked back"
    said = answer.content[0] if answer.content else None
    failed = answer.is_error and isinstance(said, TextContent)
    return said.text.partition(":")[0][:64] if failed and isinstance(said, TextContent) else "ok"


def _explain(tool: str, cause: BaseException | None) -> str:
    if isinstance(cause, PortalError):
        _logger.info("%s: %s", tool, cause.code)
        return describe(cause)
    if isinstance(cause, ValidationError):
        return bad_arguments.wrong(cause)
    _logger.error("%s failed unexpectedly", tool, exc_info=cause)
    return (
        f"INTERNAL_ERROR: this server failed on {tool}; it goes on, and has logged why. Try once more; if it "
        "persists, report it to the people who maintain this server."
    )


def _failed(said: str, label: str) -> CallToolResult:
    """Answer with a tool error; `label` marks what is not a real portal's."""
    marked = mask_secrets(f"{said} [{label}]" if label else said)
    return CallToolResult(content=[TextContent(type="text", text=marked)], is_error=True)
