"""OpenTelemetry tracing, turned on by OpenTelemetry's own environment variables.

FastAPI makes the span of each request, this module those of calls to PocketBase and Stripe. Without
the variables no span is made (docs/operations.md).
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode

from gateway.start_error import StartError
from gateway.version import __version__

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_SDK = "opentelemetry.sdk"
#: Parts of a path that may be ids or addresses: with a digit (except API versions), @ or %.
_ID = re.compile(r"/(?!v\d+(?:/|$))[^/]*[\d@%][^/]*")


class TracingNotInstalled(StartError):
    """Tracing is asked for, and the extra is not installed."""


def is_requested(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the environment asks for traces to be exported."""
    is_off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off = is_off or environment.get("OTEL_TRACES_EXPORTER", "").lower() == "none"
    return not is_off and any(environment.get(name) for name in _ENDPOINTS)


def read_options(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return FastAPI's option ``telemetry``: traces if they are asked for; no metrics and logs."""
    is_on = is_requested(environment)
    return {"tracing": is_on, "metrics": False, "logs": False, "auto_configure": is_on}


def require_installed(environment: Mapping[str, str] = os.environ) -> None:
    """Check at the start that traces can be exported.

    Raises:
        TracingNotInstalled
    """
    if is_requested(environment) and not _has_sdk():
        raise TracingNotInstalled(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed:"
            " pip install 'pocketbase-gateway[tracing]'"
        )


def _has_sdk() -> bool:
    try:
        return find_spec(_SDK) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def hide_request_values() -> None:
    """Leave ids and queries out of the request spans; FastAPI has added its exporter before."""
    if not is_requested() or not _has_sdk():
        return
    from opentelemetry.sdk.trace import Span as RecordedSpan
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    class HiddenValues(SpanProcessor):
        def on_start(self, span: RecordedSpan, parent_context: Context | None = None) -> None:
            attributes = span.attributes or {}
            if path := attributes.get("url.path"):
                span.set_attribute("url.path", _template(str(path)))
            if "url.query" in attributes:
                span.set_attribute("url.query", "REDACTED")

    if isinstance(provider := trace.get_tracer_provider(), TracerProvider):
        provider.add_span_processor(HiddenValues())


def _template(path: str) -> str:
    """Return a path without ids and query."""
    return _ID.sub("/{id}", path.partition("?")[0])


_TRACER = trace.get_tracer("gateway", __version__) if is_requested() else None


@contextmanager
def trace_call(service: str, method: str, path: str) -> Iterator[Span | None]:
    """Make the block the span of a call; None if tracing is off.

    Args:
        service: PocketBase or Stripe.
        path: ids and the query are left out, because they may identify persons.
    """
    if _TRACER is None:
        yield None
        return
    route = _template(path)
    attributes = {"http.request.method": method, "url.template": route, "peer.service": service}
    with _TRACER.start_as_current_span(
        f"{service} {method} {route}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        # The text of an exception may repeat values.
        record_exception=False,
    ) as span:
        yield span


def end_call(span: Span | None, status: int | None) -> None:
    """Add the HTTP status of the answer to a call's span; None without an answer."""
    if span is None:
        return
    if status is not None:
        span.set_attribute("http.response.status_code", status)
    if status is None or status >= 400:
        span.set_status(StatusCode.ERROR)
