"""Who is asking: the request that is being answered, for those whom the SDK does not hand it."""

from contextvars import ContextVar
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from .service import Service

Asked = ServerRequestContext[Service, Any]
_asked: ContextVar[Asked] = ContextVar("asked")


async def remember(ctx: Asked, call_next: CallNext) -> HandlerResult:
    """Keep the request at hand while it is answered; a middleware."""
    token = _asked.set(ctx)
    try:
        return await call_next(ctx)
    finally:
        _asked.reset(token)


def service() -> Service:
    """Return the service of the request that is being answered."""
    return _asked.get().lifespan_context
