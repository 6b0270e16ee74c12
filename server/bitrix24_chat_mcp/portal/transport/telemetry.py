"""What an operator sees: a span for each REST request, and a few figures. Never an address or a text.

OpenTelemetry's API package does nothing until somebody installs and sets up its SDK.
"""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bitrix24_chat_mcp.portal.api.errors import ApiError, PortalError
from bitrix24_chat_mcp.portal.api.rest import Request

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram
    from opentelemetry.metrics import _Gauge as Gauge  # pyright: ignore[reportPrivateUsage] - it has no other name
    from opentelemetry.trace import Span, Tracer

_NAME = "bitrix24_chat_mcp"


class Telemetry:
    """Spans and metrics through OpenTelemetry, which is imported with the first request."""

    @contextmanager
    def request(self, request: Request[object], *, attempt: int, size: int) -> Generator[None]:
        """Surround one REST request, which carries `size` calls and is the `attempt`-th for one of them."""
        from opentelemetry.trace import SpanKind, use_span  # noqa: PLC0415

        facts = {"rpc.method": request.method, "server.address": _host(request)}
        self._sizes.record(size, facts)
        span = self._tracer.start_span(
            f"bitrix24 {request.method}",
            kind=SpanKind.CLIENT,
            attributes={**facts, "bitrix24.batch.size": size, "http.request.resend_count": attempt - 1},
        )
        # Exceptions are not recorded as they are: their text may quote the portal.
        current = use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False)
        with current if span.is_recording() else nullcontext():  # who does not look does not pay
            try:
                yield
            except PortalError as error:
                self._failed(span, error, facts)
                raise

    def _failed(self, span: "Span", error: PortalError, facts: dict[str, str]) -> None:
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        span.set_status(Status(StatusCode.ERROR))
        span.set_attribute("error.type", error.code)
        if isinstance(error, ApiError):
            self._refusals.add(1, {**facts, "error.type": error.code})

    def waited(self, request: Request[object], seconds: float) -> None:
        """Note how long a call waited for the bucket."""
        self._waits.record(seconds, {"rpc.method": request.method})

    def queue_length(self, request: Request[object], waiting: int) -> None:
        """Note how many calls wait for the portal's rate limit."""
        self._queue_lengths.set(waiting, {"server.address": _host(request)})

    def bucket_level(self, request: Request[object], level: int) -> None:
        """Note how many requests the portal's bucket holds."""
        self._bucket_levels.set(level, {"server.address": _host(request)})

    def retried(self, request: Request[object], error: PortalError) -> None:
        """Note that a request is made again."""
        self._retries.add(1, {"rpc.method": request.method, "error.type": error.code})

    @cached_property
    def _tracer(self) -> "Tracer":
        from opentelemetry import trace  # noqa: PLC0415

        return trace.get_tracer(_NAME)

    @cached_property
    def _waits(self) -> "Histogram":
        return self._histogram("bitrix24.client.wait.duration", "s", "Waits for the portal's rate limit")

    @cached_property
    def _queue_lengths(self) -> "Gauge":
        return self._gauge("bitrix24.client.queue.length", "{call}", "Calls that wait for the rate limit")

    @cached_property
    def _bucket_levels(self) -> "Gauge":
        return self._gauge("bitrix24.client.bucket.level", "{request}", "Requests in the portal's bucket")

    @cached_property
    def _sizes(self) -> "Histogram":
        return self._histogram("bitrix24.client.batch.size", "{call}", "Calls in one REST request")

    @cached_property
    def _retries(self) -> "Counter":
        return self._counter("bitrix24.client.retries", "{request}", "Requests made again after a failure")

    @cached_property
    def _refusals(self) -> "Counter":
        return self._counter("bitrix24.client.refusals", "{request}", "Requests that the portal refused")

    def _gauge(self, name: str, unit: str, description: str) -> "Gauge":
        from opentelemetry import metrics  # noqa: PLC0415

        return metrics.get_meter(_NAME).create_gauge(name, unit, description)

    def _histogram(self, name: str, unit: str, description: str) -> "Histogram":
        from opentelemetry import metrics  # noqa: PLC0415

        return metrics.get_meter(_NAME).create_histogram(name, unit, description)

    def _counter(self, name: str, unit: str, description: str) -> "Counter":
        from opentelemetry import metrics  # noqa: PLC0415

        return metrics.get_meter(_NAME).create_counter(name, unit, description)


def _host(request: Request[object]) -> str:
    return urlsplit(request.credentials.portal).hostname or ""
