"""OpenTelemetry: spans of requests and of the calls that they cause, if the environment asks."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.ports import LOOPBACK
from gateway.dev.stack import Stack
from gateway.tracing import is_requested
from tests.deadline import eventually
from tests.delivery import Sender, build_customer, build_event

_NO_CONTENT = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Collector:
    """An OTLP collector: keeps the spans that it gets."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close its connection."""
        if head := (await _read_head(reader)).lower():
            size = int(head.partition("content-length:")[2].split()[0])
            request = ExportTraceServiceRequest.FromString(await reader.readexactly(size))
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            writer.write(_NO_CONTENT)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    def find(self, name: str) -> Span | None:
        """Return the first span of a name."""
        return next((span for span in self.spans if span.name == name), None)


async def _read_head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    """A collector on a free port."""
    made = Collector()
    server = await asyncio.start_server(made.serve, LOOPBACK, 0)
    made.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@pytest.fixture
def start_traced(
    start_gateway: Callable[..., GatewayProcess], collector: Collector
) -> Callable[[], GatewayProcess]:
    """Start a gateway that exports to the collector."""

    def start() -> GatewayProcess:
        return start_gateway(
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_COMPRESSION="none",
            OTEL_BSP_SCHEDULE_DELAY="100",
        )

    return start


async def test_a_delivery_is_one_trace(
    start_traced: Callable[[], GatewayProcess],
    collector: Collector,
    stack: Stack,
    http: httpx.AsyncClient,
) -> None:
    """The commit's span is a child of the delivery's trace, and contains no personal data."""
    gateway = await asyncio.to_thread(start_traced)
    sender = Sender(http, gateway.url, stack.plan.stripe.webhook_secrets[0])
    customer = build_customer("nobody", email="ada@example.com")
    assert (await sender.send(build_event("customer.created", customer))).status_code == 200

    async def find_commit() -> Span | None:
        return collector.find("PocketBase POST /api/gateway/commit")

    commit = await eventually(find_commit)
    assert commit
    assert commit.parent_span_id
    text = str(collector.spans)
    assert "ada@example.com" not in text
    assert customer["id"] not in text


async def test_a_request_span_has_no_values_of_the_request(
    start_traced: Callable[[], GatewayProcess], collector: Collector, http: httpx.AsyncClient
) -> None:
    """Its path has no id and no address, and its query is hidden."""
    gateway = await asyncio.to_thread(start_traced)
    query = "?email=ada@example.com&token=a-secret-word"
    for path in ("/admin/events/evt_12345", "/nobody/ada@example.com"):
        await http.get(f"{gateway.url}{path}{query}")

    expected = {"/admin/events/{id}", "/nobody/{id}"}

    async def has_paths() -> bool:
        return expected <= {
            each.value.string_value
            for span in collector.spans
            for each in span.attributes
            if each.key == "url.path"
        }

    assert await eventually(has_paths)
    text = str(collector.spans)
    assert [word for word in ("ada@example", "secret", "evt_12345") if word in text] == []


async def test_calls_to_stripe_are_spans(
    start_traced: Callable[[], GatewayProcess], collector: Collector
) -> None:
    """The look at the account at the start is a span named by method and path."""
    await asyncio.to_thread(start_traced)

    async def find_account() -> Span | None:
        return collector.find("Stripe GET /v1/account")

    assert await eventually(find_account)


@pytest.mark.parametrize(
    ("environment", "is_on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_standard_variables_turn_tracing_on(environment: dict[str, str], is_on: bool) -> None:
    """Without an endpoint, or if the standard switches say so, nothing is traced."""
    assert is_requested(environment) is is_on


def test_a_missing_extra_is_named() -> None:
    """Tracing that is not installed ends the start with a sentence that names the extra."""
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "from gateway.tracing import require_installed\n"
        "require_installed({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://c'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert "pip install 'pocketbase-gateway[tracing]'" in done.stderr
