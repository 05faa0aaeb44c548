"""The result of one round, and its measures."""

from dataclasses import dataclass

from bench.wire import Load


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a side with a number of clients."""

    load: Load
    gateway_cpu_ms: float
    pocketbase_cpu_ms: float


def rate_of(each: Round) -> float:
    """Return requests per second."""
    return each.load.rate


def p50_of(each: Round) -> float:
    """Return the median latency in milliseconds."""
    return each.load.percentile(0.5)


def p99_of(each: Round) -> float:
    """Return the 99th percentile of the latency in milliseconds."""
    return each.load.percentile(0.99)


def cpu_of(each: Round) -> float:
    """Return the CPU time per request, in milliseconds."""
    return each.gateway_cpu_ms + each.pocketbase_cpu_ms
