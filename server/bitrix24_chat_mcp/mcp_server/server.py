"""The MCP server: whatever fails in a call, the model reads a sentence about it."""

import logging
from typing import TYPE_CHECKING, Any, cast

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
    Tool,
    UnsubscribeRequestParams,
)
from pydantic import ValidationError

from bitrix24_chat_mcp.answers.redaction import mask_secrets
from bitrix24_chat_mcp.answers.sanitize import sanitize
from bitrix24_chat_mcp.answers.text import describe
from bitrix24_chat_mcp.portal.api.credentials import Credentials
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.runtime.context import AppContext
from bitrix24_chat_mcp.settings.sections import HttpSettings

from . import argument_errors, audit
from .error_data import error_code, error_data
from .metrics import OperationMetrics, count_sessions
from .offer import keep_narrowed_lists_private, offered
from .request_context import app_context, bind_request, client_program, redact
from .subscriptions import Subscriptions, watch_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp.server.mcpserver.tools import Tool as DefinedTool
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

_logger = logging.getLogger(__name__)
_LONGEST_NAME = 40
_LONGEST_CODE = 64


class ChatServer(MCPServer[AppContext]):
    """An MCPServer whose failures are answered in sentences, as tool errors.

    `context` is what it serves from; it opens when the server runs, and authentication over HTTP shares it.
    `options` are those of MCPServer.
    """

    def __init__(self, context: AppContext, name: str, **options: Any) -> None:  # noqa: ANN401 - MCPServer's own
        self.context = context
        subscriptions = Subscriptions()
        self._tools: Sequence[DefinedTool] = options.get("tools", ())
        metrics = OperationMetrics(tool.name for tool in self._tools)
        middleware = [
            metrics,
            redact,
            bind_request,
            keep_narrowed_lists_private,
            watch_streams,
            subscriptions.note_caller,
        ]
        super().__init__(name, lifespan=lambda _: context.running(), middleware=middleware, **options)
        # `resources/subscribe` is the earlier era's; the SDK leaves it to the server below.
        serve = self._lowlevel_server.add_request_handler
        serve("resources/subscribe", SubscribeRequestParams, subscriptions.subscribe)
        serve("resources/unsubscribe", UnsubscribeRequestParams, subscriptions.unsubscribe)

    def http_sessions(
        self, http: HttpSettings, security: "TransportSecuritySettings"
    ) -> "StreamableHTTPSessionManager":
        """Return what serves it over HTTP, to be run once; authentication belongs before it."""
        from .sessions import BoundedSessions  # noqa: PLC0415 - stdio does not need it

        stateless = self.context.access.shared is not None
        sessions = BoundedSessions(self._lowlevel_server, http, security, stateless=stateless)
        count_sessions(sessions)
        return sessions

    async def list_tools(self) -> list[Tool]:
        """Return the tools that the client of the current request is offered."""
        return offered(await super().list_tools())

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[AppContext, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; whatever fails, the model reads what happened and what to do next."""
        tools = {tool.name: tool for tool in offered(self._tools)}
        if name not in tools:
            asked = sanitize(name, _LONGEST_NAME)
            return _failed(f"UNKNOWN_TOOL: there is no tool {asked!r} here, only {', '.join(tools)}.")
        known = list(tools[name].parameters["properties"])
        if complaint := argument_errors.unknown(name, arguments, known):
            return _failed(complaint)
        _logger.debug("%s is called", name)
        hints = tools[name].annotations
        if hints and hints.read_only_hint:
            return await self._answer(name, arguments, context)
        with audit.record(name, arguments, await _caller(), client_program()) as entry:
            answer = await self._answer(name, arguments, context)
            entry.outcome = _outcome(answer)
            return answer

    async def _answer(
        self, name: str, arguments: dict[str, Any], context: Context[AppContext, Any] | None
    ) -> CallToolResult | InputRequiredResult:
        try:
            return await super().call_tool(name, argument_errors.given(arguments), context)
        except ToolError as error:
            cause = error.__cause__
            return _failed(_explain(name, cause), getattr(cause, "retry_after", None))

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[AppContext, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """Render a prompt; an unknown name is the caller's mistake, and no failure of the server."""
        prompts = {prompt.name: prompt for prompt in await self.list_prompts()}
        if name not in prompts:
            asked = sanitize(name, _LONGEST_NAME)
            raise MCPError(INVALID_PARAMS, f"There is no prompt {asked!r}, only {', '.join(prompts)}.")
        known = [argument.name for argument in prompts[name].arguments or ()]
        if complaint := argument_errors.unknown(name, arguments or {}, known):
            raise MCPError(INVALID_PARAMS, complaint)
        return await super().get_prompt(name, arguments, context)


async def _caller() -> Credentials | None:
    """Return the credentials of the caller, None where nobody is signed in."""
    try:
        return await app_context().credentials()
    except PortalError:
        return None


def _outcome(answer: CallToolResult | InputRequiredResult) -> str:
    """Return the audit's word for an answer: `ok`, `declined`, or the code of a tool error."""
    if not isinstance(answer, CallToolResult):
        return "asked back"
    if "declined" in cast("dict[str, object]", answer.structured_content or {}):
        return "declined"
    return (error_code(answer.meta) or "failed") if answer.is_error else "ok"


def _explain(tool: str, cause: BaseException | None) -> str:
    if isinstance(cause, PortalError):
        _logger.info("%s: %s", tool, cause.code)
        return describe(cause)
    if isinstance(cause, ValidationError):
        return argument_errors.wrong(cause)
    if isinstance(cause, ToolError):  # the SDK's own: a client has answered a question in no known form
        _logger.info("%s: %s", tool, cause)
        return (
            "UNCLEAR_CONFIRMATION: the answer to the question was not understood; nothing was done. "
            "Call the tool again."
        )
    _logger.error("%s failed unexpectedly", tool, exc_info=cause)
    return (
        f"INTERNAL_ERROR: this server failed on {tool}; it goes on, and has logged why. Try once more; if it "
        "persists, report it to the people who maintain this server."
    )


def _failed(sentence: str, retry_after: float | None = None) -> CallToolResult:
    """Answer with a tool error, whose sentence begins with its code.

    The context's label marks what is not a real portal's; `retry_after` is in seconds, if that is known.
    """
    label = app_context().label
    text = mask_secrets(f"{sentence} [{label}]" if label else sentence)
    data = error_data(text.partition(":")[0][:_LONGEST_CODE], retry_after)
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True, _meta=data)
