"""Who is asking, and for how long: the request that is being answered, and the patience it comes with."""

import json
from contextvars import ContextVar
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError

from bitrix24_chat_mcp.answers.redaction import mask_secrets
from bitrix24_chat_mcp.portal.transport.call_context import deadline
from bitrix24_chat_mcp.runtime.context import AppContext

RequestContext = ServerRequestContext[AppContext, Any]
_asked: ContextVar[RequestContext] = ContextVar("asked")


# What is answered out of the portal; everything else is answered at once, or lasts.
_CALLS = {"tools/call", "resources/read", "prompts/get", "completion/complete"}


async def bind_request(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Keep the request at hand while it is answered, and its deadline; a middleware."""
    token = _asked.set(ctx)
    try:
        if ctx.method not in _CALLS:
            return await call_next(ctx)

        async def report(waited: float, said: str) -> None:
            await ctx.session.report_progress(waited, None, said)

        with deadline(ctx.lifespan_context.deadline, report):
            return await call_next(ctx)
    finally:
        _asked.reset(token)


async def redact(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Mask secrets in protocol errors, which may repeat what the caller sent; a middleware."""
    try:
        return await call_next(ctx)
    except MCPError as error:
        said = mask_secrets(error.message)
        data = json.dumps(error.data, default=str)
        masked = mask_secrets(data)
        if (said, masked) == (error.message, data):
            raise
        raise MCPError(error.code, said, json.loads(masked)) from None


def app_context() -> AppContext:
    """Return the service of the request that is being answered."""
    return _asked.get().lifespan_context
