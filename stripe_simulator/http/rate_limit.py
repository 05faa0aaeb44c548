"""Stripe's limit of requests per second, as a switch."""

import time
from dataclasses import dataclass, field

from stripe_simulator.errors import StripeError

#: Stripe names the limit that was met in this header.
REASON = {"Stripe-Rate-Limited-Reason": "global-rate"}
_MESSAGE = (
    "Request rate limit exceeded. Learn more about rate limits here "
    "https://docs.stripe.com/rate-limits."
)


@dataclass(slots=True)
class RateLimit:
    """A token bucket that holds one second's requests."""

    per_second: float | None = None
    _tokens: float = 0.0
    _filled: float = field(default_factory=time.monotonic)

    def change(self, per_second: float | None) -> None:
        """Set the limit; None for no limit."""
        self.per_second, self._filled = per_second, time.monotonic()
        self._tokens = per_second or 0.0

    def refuse(self) -> StripeError | None:
        """Count a request; return Stripe's error if it is one too many."""
        if self.per_second is None:
            return None
        now = time.monotonic()
        self._tokens += (now - self._filled) * self.per_second
        self._tokens, self._filled = min(self._tokens, self.per_second), now
        if self._tokens < 1:
            return StripeError(429, "invalid_request_error", _MESSAGE, code="rate_limit")
        self._tokens -= 1
        return None
