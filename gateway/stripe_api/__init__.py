"""The seam to Stripe: the SDK's client, reads with their time, and errors in our own terms."""

from gateway.stripe_api.client import open_stripe, translate_errors
from gateway.stripe_api.reading import ApplyReading, Missing, Reading, read_object

__all__ = [
    "ApplyReading",
    "Missing",
    "Reading",
    "open_stripe",
    "read_object",
    "translate_errors",
]
