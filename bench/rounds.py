"""What one round of a load gave, and how it is read."""

from dataclasses import dataclass

from bench.wire import Load


@dataclass(frozen=True, slots=True)
class Round:
    """One side or way once, with a number of clients."""

    load: Load
    gateway_cpu_ms: float
    pocketbase_cpu_ms: float


def rate_of(each: Round) -> float:
    """Requests a second."""
    return each.load.rate


def p50_of(each: Round) -> float:
    """Milliseconds that half of the requests took at the most."""
    return each.load.percentile(0.5)


def p99_of(each: Round) -> float:
    """Milliseconds that all but a hundredth of the requests took at the most."""
    return each.load.percentile(0.99)
