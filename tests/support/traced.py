"""The server as a command, with all that it traces and measures written to stderr."""

import sys

from bitrix24_chat_mcp.__main__ import main
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

tracer = TracerProvider()
tracer.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
trace.set_tracer_provider(tracer)
reader = PeriodicExportingMetricReader(ConsoleMetricExporter(out=sys.stderr), 1000)
metrics.set_meter_provider(MeterProvider([reader]))

sys.exit(main())
