"""An operator sees each request and a few figures, and never an address or a text."""

import math
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from bitrix24_chat_mcp.portal.api.errors import PortalError
from bitrix24_chat_mcp.portal.transport.limits import Limits
from bitrix24_demo_portal import Fault
from opentelemetry import trace
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.harness import Harness, open_harness
from support.telemetry import collect_metrics, figures

SPANS = InMemorySpanExporter()


@pytest.fixture(scope="module", autouse=True)
def provider() -> None:
    """Set up OpenTelemetry as an application does: once for the process."""
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(SPANS))
    trace.set_tracer_provider(tracing)
    collect_metrics()


@pytest.fixture(autouse=True)
def no_old_spans() -> Iterator[None]:
    SPANS.clear()
    figures()
    yield
    SPANS.clear()


async def exercise(harness: Harness) -> None:
    """Cause a wait, a batch, a retry and a refusal."""
    await harness.ask("server.time")
    harness.demo.fail("batch", Fault(html=True), calls=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pin, harness, "5")
        tasks.start_soon(pin, harness, "chat999")


async def pin(harness: Harness, dialog_id: str) -> None:
    try:
        await harness.user.pin(dialog_id, pin=True)
    except PortalError as error:
        assert error.code == "ACCESS_ERROR"  # noqa: PT017


def spans() -> list[tuple[str, dict[str, Any]]]:
    return [(span.name, dict(span.attributes or {})) for span in SPANS.get_finished_spans()]


def causes(points: list[Any]) -> set[str]:
    return {dict(point.attributes)["error.type"] for point in points}


async def test_each_request_is_a_span_with_its_method_attempt_batch_size_and_portal() -> None:
    async with open_harness(Limits(rate=0.2, burst=1), rate=math.inf) as harness:
        await exercise(harness)
    host = {"server.address": "demo.bitrix24.example"}
    batch = {**host, "rpc.method": "batch", "bitrix24.batch.size": 2}
    assert spans() == [
        ("bitrix24 server.time", {**host, "rpc.method": "server.time", "bitrix24.batch.size": 1, RESENT: 0}),
        ("bitrix24 batch", {**batch, RESENT: 0, "error.type": "NOT_JSON"}),
        ("bitrix24 batch", {**batch, RESENT: 1}),
    ]


def batches() -> tuple[int, float]:
    """Count the batches of this process so far, and the calls in them; other tests measure, too."""
    sizes = [
        point
        for point in figures().get("bitrix24.client.batch.size", [])
        if dict(point.attributes)["rpc.method"] == "batch"
    ]
    return sum(point.count for point in sizes), sum(point.sum for point in sizes)


async def test_waits_retries_refusals_and_batch_sizes_are_counted() -> None:
    before = batches()
    async with open_harness(Limits(rate=0.2, burst=1), rate=math.inf) as harness:
        await exercise(harness)
        harness.demo.fail("*", Fault(error="ACCESS_DENIED"))
        with pytest.raises(PortalError):
            await harness.ask("profile")
    told = figures()
    waits = [
        point for point in told["bitrix24.client.wait.duration"] if isinstance(point, HistogramDataPoint)
    ]
    assert sum(point.count for point in waits) >= 4
    assert max(point.max for point in waits) > 4
    requests, calls = batches()
    assert (requests - before[0], calls - before[1]) == (2, 4), "a batch of two, twice"
    assert any(
        dict(point.attributes)["error.type"] == "NOT_JSON" for point in told["bitrix24.client.retries"]
    )
    refused = {dict(point.attributes)["error.type"] for point in told["bitrix24.client.refusals"]}
    assert "ACCESS_DENIED" in refused


async def test_the_queue_s_length_and_the_bucket_s_level_are_shown() -> None:
    async with open_harness(Limits(rate=0.2, burst=1), rate=math.inf) as here:
        await here.ask("server.time")
        meanwhile: dict[str, list[Any]] = {}
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pin, here, "5")
            tasks.start_soon(pin, here, "7")
            await anyio.sleep(1)
            meanwhile.update(figures())
    assert _of_the_demo(meanwhile["bitrix24.client.queue.length"]) == [2]
    assert _of_the_demo(figures()["bitrix24.client.queue.length"]) == [0]
    assert _of_the_demo(figures()["bitrix24.client.bucket.level"]) == [1]


def _of_the_demo(points: list[Any]) -> list[float]:
    """Return the values of one portal: other tests of the process measure portals of other names."""
    address = {"server.address": "demo.bitrix24.example"}
    return [point.value for point in points if dict(point.attributes) == address]


async def test_no_secret_and_no_text_of_the_portal_is_told() -> None:
    async with open_harness(Limits(rate=0.2, burst=1), rate=math.inf) as harness:
        await exercise(harness)
        harness.demo.fail("*", Fault(error="ACCESS_DENIED", text="the portal's own words"))
        with pytest.raises(PortalError):
            await harness.ask("profile")
        code = harness.webhook().code
    everything = "".join(_written(span) for span in SPANS.get_finished_spans()) + repr(figures())
    assert "bitrix24 batch" in everything
    assert code not in everything
    assert "own words" not in everything


RESENT = "http.request.resend_count"


def _written(span: ReadableSpan) -> str:
    return span.to_json()
