"""The Prometheus metrics of this process; `GET /metrics` shows them (docs/operations.md).

Labels have few values, so that the number of series is bounded: no id, address or path is a label.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, time
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from gateway.tracing import end_call, trace_call

#: Everything that this process counts.
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LAG_SECONDS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400)

_DELIVERIES = Counter(
    "gateway_deliveries",
    "Webhook deliveries by outcome of the event, or by type of the problem.",
    ["outcome"],
    registry=REGISTRY,
)
_DELIVERY_SECONDS = Histogram(
    "gateway_delivery_seconds",
    "Seconds of a delivery by stage: read (receive and verify the body), store (wait for a batch"
    " and its commit), total.",
    ["stage"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
_BATCH_EVENTS = Histogram(
    "gateway_batch_events",
    "Events per PocketBase transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64),
    registry=REGISTRY,
)
_COMMIT_SECONDS = Histogram(
    "gateway_commit_seconds",
    "Seconds of a commit call to PocketBase.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
_EVENT_LAG_SECONDS = Histogram(
    "gateway_event_lag_seconds",
    "Seconds from an event's creation at Stripe until its row is written.",
    buckets=_LAG_SECONDS,
    registry=REGISTRY,
)
_CALLS = {
    service: (
        Counter(
            f"gateway_{service.lower()}_calls",
            f"Calls to {service} by status: an HTTP status, or unreachable.",
            ["status"],
            registry=REGISTRY,
        ),
        Histogram(
            f"gateway_{service.lower()}_seconds",
            f"Seconds of a call to {service}.",
            buckets=_SECONDS,
            registry=REGISTRY,
        ),
    )
    for service in ("PocketBase", "Stripe")
}
_STRIPE_READS = Counter(
    "gateway_stripe_reads",
    "Objects read from Stripe because events did not show their newest state.",
    registry=REGISTRY,
)
_TRANSFORMS = Counter(
    "gateway_transforms",
    "Writes that passed a transform, by collection, operation and outcome.",
    ["collection", "operation", "outcome"],
    registry=REGISTRY,
)
_TRANSFORM_SECONDS = Histogram(
    "gateway_transform_seconds",
    "Seconds of one transform.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
_RATE_LIMITED = Counter(
    "gateway_rate_limited_requests",
    "Requests answered with 429, by limit: address or user.",
    ["limit"],
    registry=REGISTRY,
)
_WORK = Counter(
    "gateway_work",
    "Attempts of work items by handler and outcome.",
    ["handler", "outcome"],
    registry=REGISTRY,
)
_WORK_SECONDS = Histogram(
    "gateway_work_seconds",
    "Seconds of one attempt of a work item, by handler.",
    ["handler"],
    buckets=(*_SECONDS, 30, 60, 300),
    registry=REGISTRY,
)
#: Counters that begin at 0: Prometheus computes no increase for a series that begins above it, so
#: that the first failures would cause no alert.
_COUNTED_FROM_START = (
    *(
        _DELIVERIES.labels(outcome)
        for outcome in (
            "applied",
            "duplicate",
            "failed",
            "internal-error",
            "invalid-signature",
            "overloaded",
            "pocketbase-unavailable",
        )
    ),
    *(_CALLS["Stripe"][0].labels(status) for status in ("unreachable", "500", "502", "503", "504")),
    *(_RATE_LIMITED.labels(limit) for limit in ("address", "user")),
)
_READ = _DELIVERY_SECONDS.labels("read")
_STORE = _DELIVERY_SECONDS.labels("store")
_TOTAL = _DELIVERY_SECONDS.labels("total")


class DeliveryTimer:
    """Measures the stages of one delivery."""

    __slots__ = ("_began", "_read")

    def __init__(self) -> None:
        self._began = perf_counter()
        self._read = 0.0

    def end_read(self) -> None:
        """The body is received and verified."""
        self._read = perf_counter()

    def end(self, outcome: str) -> float:
        """The response is sent; return the seconds since the start.

        Args:
            outcome: of the event, or the type of the problem.
        """
        ended = perf_counter()
        _DELIVERIES.labels(outcome).inc()
        if self._read:
            _READ.observe(self._read - self._began)
            _STORE.observe(ended - self._read)
        _TOTAL.observe(ended - self._began)
        return ended - self._began


def count_applied(created: int) -> None:
    """Count an event whose row was written.

    Args:
        created: the event's time in Unix seconds.
    """
    _EVENT_LAG_SECONDS.observe(max(0.0, time() - created))


@contextmanager
def measure_commit(events: int) -> Iterator[None]:
    """Measure one commit call with a number of events."""
    _BATCH_EVENTS.observe(events)
    with _COMMIT_SECONDS.time():
        yield


@dataclass(slots=True)
class Call:
    """One call to another service."""

    #: The HTTP status, None without an answer.
    status: int | None = None


@contextmanager
def measure_call(
    service: Literal["PocketBase", "Stripe"], method: str, path: str
) -> Iterator[Call]:
    """Count, time and trace one call to another service; the block sets the status."""
    calls, duration = _CALLS[service]
    call, began = Call(), perf_counter()
    with trace_call(service, method, path) as span:
        try:
            yield call
        finally:
            end_call(span, call.status)
            duration.observe(perf_counter() - began)
            calls.labels("unreachable" if call.status is None else str(call.status)).inc()


def count_stripe_read() -> None:
    """Count an object that is read from Stripe to resolve a conflict."""
    _STRIPE_READS.inc()


def count_transform(collection: str, operation: str, outcome: str, seconds: float) -> None:
    """Count one write that passed a transform."""
    _TRANSFORMS.labels(collection, operation, outcome).inc()
    _TRANSFORM_SECONDS.observe(seconds)


def count_rate_limited(limit: str) -> None:
    """Count a request that exceeded a limit: address or user."""
    _RATE_LIMITED.labels(limit).inc()


def count_work(handler: str, outcome: str, seconds: float) -> None:
    """Count one attempt of a work item."""
    _WORK.labels(handler, outcome).inc()
    _WORK_SECONDS.labels(handler).observe(seconds)
