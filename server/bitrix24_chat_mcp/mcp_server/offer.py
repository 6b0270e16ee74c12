"""What a client is offered: what the operator allows, without what its headers or its abilities rule out.

Headers only narrow. They are the client's own word, so they bound what it sees and calls, not who it is.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver.tools import Tool as DefinedTool
from mcp_types import Tool

from bitrix24_chat_mcp.settings.toolsets import ALWAYS, TOOLSETS, split

from .confirmation import can_be_asked
from .request_context import RequestContext, app_context, current_request

TOOLSETS_HEADER, READONLY_HEADER = "X-MCP-Toolsets", "X-MCP-Readonly"
_OFF = {"", "0", "false", "no", "off"}
_ASKING = frozenset(TOOLSETS["tidy"])
"""The tools that ask their user first."""
AnyTool = TypeVar("AnyTool", Tool, DefinedTool)


def offered(allowed: Sequence[AnyTool]) -> list[AnyTool]:
    """Return the tools that the client of the current request is offered, of those that are allowed."""
    request = current_request()
    if request is None:
        return list(allowed)
    headers = _headers(request)
    readonly, toolsets = headers.get(READONLY_HEADER, ""), headers.get(TOOLSETS_HEADER)
    return [tool for tool in allowed if _is_offered(tool, readonly, toolsets, request)]


async def keep_narrowed_lists_private(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Let no cache give one client's list of tools to another that asks for more or less; a middleware."""
    result = await call_next(ctx)
    if ctx.method != "tools/list" or not isinstance(result, dict) or "cacheScope" not in result:
        return result
    headers = _headers(ctx)
    narrowed = TOOLSETS_HEADER in headers or READONLY_HEADER in headers
    return {**result, "cacheScope": "private"} if narrowed else result


def _is_offered(
    tool: Tool | DefinedTool, readonly: str, toolsets: str | None, request: RequestContext
) -> bool:
    reads = tool.annotations is not None and tool.annotations.read_only_hint
    if readonly.strip().lower() not in _OFF and not reads:
        return False
    if toolsets is not None and tool.name not in _named(toolsets):
        return False
    return tool.name not in _ASKING or app_context().confirm == "host" or can_be_asked(request)


def _named(sets: str) -> set[str]:
    """Return the tools of the sets that a header names; a name that is no set adds none."""
    names = cast("list[str]", split(sets))
    return {*ALWAYS, *(tool for name in names for tool in TOOLSETS.get(name, ()))}


def _headers(request: RequestContext) -> Mapping[str, str]:
    """Return the request's headers, which know no case; none over stdio."""
    return cast("Mapping[str, str]", getattr(request.request, "headers", None) or {})
