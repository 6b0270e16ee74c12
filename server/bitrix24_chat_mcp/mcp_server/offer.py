"""What a client is offered: what the operator allows, without what its headers or its abilities rule out.

Headers only narrow, each of them. They are the client's own word, so they bound what it sees and calls, not
who it is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver.tools import Tool as DefinedTool
from mcp_types import Tool

from bitrix24_chat_mcp.settings.toolsets import ALWAYS, TOOLSETS, split

from .confirmation import can_be_asked
from .request_context import RequestContext, app_context, current_request

if TYPE_CHECKING:
    from starlette.datastructures import Headers

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
    readonly, toolsets = _headers(request, READONLY_HEADER), _headers(request, TOOLSETS_HEADER)
    return [tool for tool in allowed if _is_offered(tool, readonly, toolsets, request)]


async def keep_narrowed_lists_private(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Let no cache give one client's list of tools to another that asks for more or less; a middleware."""
    result = await call_next(ctx)
    if ctx.method != "tools/list" or not isinstance(result, dict) or "cacheScope" not in result:
        return result
    narrowed = _headers(ctx, TOOLSETS_HEADER) or _headers(ctx, READONLY_HEADER)
    return {**result, "cacheScope": "private"} if narrowed else result


def _is_offered(
    tool: Tool | DefinedTool, readonly: Sequence[str], toolsets: Sequence[str], request: RequestContext
) -> bool:
    reads = tool.annotations is not None and tool.annotations.read_only_hint
    if not reads and any(value.strip().lower() not in _OFF for value in readonly):
        return False
    if any(tool.name not in _named(sets) for sets in toolsets):
        return False
    return tool.name not in _ASKING or app_context().confirm == "host" or can_be_asked(request)


def _named(sets: str) -> set[str]:
    """Return the tools of the sets that a header names; a name that is no set adds none."""
    names = cast("list[str]", split(sets))
    return {*ALWAYS, *(tool for name in names for tool in TOOLSETS.get(name, ()))}


def _headers(request: RequestContext, name: str) -> list[str]:
    """Return all headers of a name, since a proxy may add its own to the client's; none over stdio."""
    headers = cast("Headers | None", getattr(request.request, "headers", None))
    return headers.getlist(name) if headers else []
