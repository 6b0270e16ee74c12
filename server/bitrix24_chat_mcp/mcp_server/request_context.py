"""The request that is being answered: the application's context, its deadline, and secrets in its errors."""

import json
from contextvars import ContextVar
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError

from bitrix24_chat_mcp.answers.redaction import mask_secrets
from bitrix24_chat_mcp.portal.transport.call_context import begin_call, end_call
from bitrix24_chat_mcp.runtime.context import AppContext

RequestContext = ServerRequestContext[AppContext, Any]
_current: ContextVar[RequestContext] = ContextVar("request")
_LONGEST_PROGRAM = 200  # characters of a name or a version, before they are made safe to show
# Methods that the portal is asked for, so that a deadline holds; others are answered at once, or last.
_PORTAL_METHODS = {"tools/call", "resources/read", "prompts/get", "completion/complete"}


async def bind_request(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Make the request known to `app_context` while it is answered, and start its deadline; a middleware."""
    token = _current.set(ctx)
    try:
        if ctx.method not in _PORTAL_METHODS:
            return await call_next(ctx)

        async def report(waited: float, sentence: str) -> None:
            await ctx.session.report_progress(waited, None, sentence)

        _, call = begin_call(ctx.lifespan_context.deadline, report)
        try:
            return await call_next(ctx)
        finally:
            end_call(call)
    finally:
        _current.reset(token)


async def redact(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Mask secrets in protocol errors, which may repeat what the caller sent; a middleware."""
    try:
        return await call_next(ctx)
    except MCPError as error:
        message = mask_secrets(error.message)
        data = json.dumps(error.data, default=str)
        masked = mask_secrets(data)
        if (message, masked) == (error.message, data):
            raise
        raise MCPError(error.code, message, json.loads(masked)) from None


def client_program() -> str:
    """Return the name and version of the client program, in its own words; empty if it gave none."""
    params = _current.get().session.client_params
    if params is None:
        return ""
    # A client may send megabytes; nobody needs more than the beginning.
    program = params.client_info
    return f"{program.name[:_LONGEST_PROGRAM]} {program.version[:_LONGEST_PROGRAM]}".strip()


def app_context() -> AppContext:
    """Return the application's context, for the tools, resources, prompts and completion of a request."""
    return _current.get().lifespan_context


def current_request() -> RequestContext | None:
    """Return the request that is being answered; None outside of one."""
    return _current.get(None)
