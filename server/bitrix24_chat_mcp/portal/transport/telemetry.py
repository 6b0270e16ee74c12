"""What the operator sees: a span for each REST request, and a few figures. Never message content.

OpenTelemetry's API package does nothing until an application installs and sets up its SDK.
"""

from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from bitrix24_chat_mcp.portal.api.errors import ApiError, PortalError
from bitrix24_chat_mcp.portal.api.rest import Request

_NAME = "bitrix24_chat_mcp"


class Telemetry:
    """Spans and metrics through OpenTelemetry, which is imported with the first request."""

    @contextmanager
    def request(self, request: Request[object], *, attempt: int, size: int) -> Generator[None]:
        """Surround one REST request, which carries `size` calls and is the `attempt`-th for one of them."""
        otel = self._otel
        labels = {"rpc.method": request.method, "server.address": _host(request)}
        otel.sizes.record(size, labels)
        span = otel.tracer.start_span(
            f"bitrix24 {request.method}",
            kind=otel.trace.SpanKind.CLIENT,
            attributes={**labels, "bitrix24.batch.size": size, "http.request.resend_count": attempt - 1},
        )
        # Exceptions are not recorded: their text may quote the portal.
        current = otel.trace.use_span(
            span, end_on_exit=True, record_exception=False, set_status_on_exception=False
        )
        with current if span.is_recording() else nullcontext():  # skipped when no SDK records
            try:
                yield
            except PortalError as error:
                span.set_status(otel.trace.Status(otel.trace.StatusCode.ERROR))
                span.set_attribute("error.type", error.code)
                if isinstance(error, ApiError):
                    otel.refusals.add(1, {**labels, "error.type": error.code})
                raise

    def waited(self, request: Request[object], seconds: float) -> None:
        """Record how long a call waited for the rate limit."""
        self._otel.waits.record(seconds, {"rpc.method": request.method})

    def queue_length(self, request: Request[object], waiting: int) -> None:
        """Note how many calls wait for the portal's rate limit."""
        self._otel.queue_lengths.set(waiting, {"server.address": _host(request)})

    def bucket_level(self, request: Request[object], level: int) -> None:
        """Note how many requests the portal's bucket holds."""
        self._otel.bucket_levels.set(level, {"server.address": _host(request)})

    def retried(self, request: Request[object], error: PortalError) -> None:
        """Count a request that is sent again."""
        self._otel.retries.add(1, {"rpc.method": request.method, "error.type": error.code})

    @cached_property
    def _otel(self) -> "_Instruments":
        return _Instruments()


class _Instruments:
    def __init__(self) -> None:
        from opentelemetry import metrics, trace  # noqa: PLC0415 - not before the first call needs it

        meter = metrics.get_meter(_NAME)
        self.trace = trace
        self.tracer = trace.get_tracer(_NAME)
        self.waits = meter.create_histogram(
            "bitrix24.client.wait.duration", "s", "Waits for the portal's rate limit"
        )
        self.sizes = meter.create_histogram(
            "bitrix24.client.batch.size", "{call}", "Calls in one REST request"
        )
        self.retries = meter.create_counter(
            "bitrix24.client.retries", "{request}", "Requests made again after a failure"
        )
        self.refusals = meter.create_counter(
            "bitrix24.client.refusals", "{request}", "Requests that the portal refused"
        )
        self.queue_lengths = meter.create_gauge(
            "bitrix24.client.queue.length", "{call}", "Calls that wait for the rate limit"
        )
        self.bucket_levels = meter.create_gauge(
            "bitrix24.client.bucket.level", "{request}", "Requests in the portal's bucket"
        )


def _host(request: Request[object]) -> str:
    return _hostname(request.credentials.portal)


@lru_cache(maxsize=1000)
def _hostname(portal: str) -> str:
    return urlsplit(portal).hostname or ""
