"""The gateway without metrics, for `bench.metrics`: `python -m bench.without_metrics serve …`.

The functions of gateway.metrics are replaced before other modules import them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from gateway import metrics
from gateway.tracing import end_call, trace_call


class _Timer:
    """Only the duration, which the log has."""

    __slots__ = ("_began",)

    def __init__(self) -> None:
        self._began = perf_counter()

    def end_read(self) -> None:
        """Count nothing."""

    def end(self, _: str) -> float:
        """Return the seconds since the start."""
        return perf_counter() - self._began


@contextmanager
def _measure_commit(_: int) -> Iterator[None]:
    yield


@contextmanager
def _measure_call(service: Any, method: str, path: str) -> Iterator[metrics.Call]:
    call = metrics.Call()
    with trace_call(service, method, path) as span:
        try:
            yield call
        finally:
            end_call(span, call.status)


def _count_nothing(*_: Any) -> None:
    """Replaces the counters."""


def main() -> None:
    """Run the gateway's command line."""
    metrics.DeliveryTimer = _Timer  # type: ignore[assignment,misc]
    metrics.measure_commit = _measure_commit
    metrics.measure_call = _measure_call
    for name in vars(metrics):
        if name.startswith("count_"):
            setattr(metrics, name, _count_nothing)
    from gateway.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
