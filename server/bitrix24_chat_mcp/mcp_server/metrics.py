"""Metrics of the server by OpenTelemetry's conventions for MCP; they cost nothing until its SDK is set up.

Names and attributes: https://github.com/open-telemetry/semantic-conventions-genai. Method and tool names that
this server does not know count as `_OTHER`, so that callers cannot make up new time series.
"""

from collections.abc import Iterable
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, get_args
from weakref import WeakSet

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import ClientRequest

from .error_data import error_code

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram

_METER = "bitrix24_chat_mcp"
_OTHER = "_OTHER"
_METHODS = {one.model_fields["method"].default for one in get_args(ClientRequest)} | {"subscriptions/listen"}
# Seconds; the conventions' own buckets.
_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)


class OperationMetrics:
    """A middleware that measures each request; `tools` are the names of the tools there are."""

    def __init__(self, tools: Iterable[str]) -> None:
        self._tools = frozenset(tools)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Handle a request, and record how long that took and how it ended."""
        if ctx.request_id is None:  # a notification has no outcome
            return await call_next(ctx)
        labels, since = self._labels(ctx), perf_counter()
        try:
            result = await call_next(ctx)
            labels |= _error_of(result)
        except BaseException as error:
            labels["error.type"] = str(error.code) if isinstance(error, MCPError) else type(error).__name__
            raise
        finally:
            _durations().record(perf_counter() - since, labels)
        return result

    def _labels(self, ctx: ServerRequestContext[Any, Any]) -> dict[str, str]:
        method = ctx.method if ctx.method in _METHODS else _OTHER
        labels = {
            "mcp.method.name": method,
            "mcp.protocol.version": ctx.protocol_version,
            "network.transport": "tcp" if ctx.request is not None else "pipe",
        }
        if method == "tools/call":
            name = (ctx.params or {}).get("name")
            labels["gen_ai.operation.name"] = "execute_tool"
            labels["gen_ai.tool.name"] = str(name) if name in self._tools else _OTHER
        return labels


def _error_of(result: HandlerResult) -> dict[str, str]:
    """Name the error of a tool's result, which comes here as it will go over the wire."""
    wire = result if isinstance(result, dict) else {}
    return {"error.type": error_code(wire.get("_meta")) or "tool_error"} if wire.get("isError") else {}


class Sessions(Protocol):
    """The open sessions of a server."""

    @property
    def count(self) -> int:
        """Return how many sessions are open."""
        ...


_watched: WeakSet[Sessions] = WeakSet()


def count_sessions(sessions: Sessions) -> None:
    """Show how many sessions are open, whenever metrics are collected."""
    _watched.add(sessions)
    _show_sessions()


@cache
def _show_sessions() -> None:
    from opentelemetry import metrics  # noqa: PLC0415 - stdio has one session, and no need of it

    metrics.get_meter(_METER).create_observable_gauge(
        "bitrix24.server.sessions",
        [lambda _: [metrics.Observation(sum(sessions.count for sessions in _watched))]],
        "{session}",
        "Open sessions of clients that need one",
    )


@cache
def _durations() -> "Histogram":
    from opentelemetry import metrics  # noqa: PLC0415 - not before the first request

    return metrics.get_meter(_METER).create_histogram(
        "mcp.server.operation.duration",
        "s",
        "Duration of MCP requests as the server sees it",
        explicit_bucket_boundaries_advisory=_BUCKETS,
    )
