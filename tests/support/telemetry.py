"""What an application that has set up OpenTelemetry collects; a process can do so only once."""

from functools import cache
from typing import Any

from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

_READER = InMemoryMetricReader()


@cache
def collect_metrics() -> None:
    """Set up OpenTelemetry's metrics."""
    metrics.set_meter_provider(MeterProvider([_READER]))


def figures() -> dict[str, list[Any]]:
    """Return the data points of each metric."""
    data = _READER.get_metrics_data()
    found = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
    return {metric.name: list(metric.data.data_points) for metric in found}
