"""The seam to Stripe: the SDK's client, reads with their time, and errors in our own terms."""

from gateway.stripe_api.answer import is_replayed
from gateway.stripe_api.causes import Cause, find_cause
from gateway.stripe_api.client import RETRIES, open_stripe, translate_errors
from gateway.stripe_api.key_check import PROBE, KeyCheck, StripeKeyNotAccepted
from gateway.stripe_api.nested_lists import complete, is_truncated, read_rest
from gateway.stripe_api.promotion_codes import (
    PromotionCode,
    find_promotion_code,
    redeeming,
)
from gateway.stripe_api.reading import ApplyReading, Missing, Reading, read_object

__all__ = [
    "PROBE",
    "RETRIES",
    "ApplyReading",
    "Cause",
    "KeyCheck",
    "Missing",
    "PromotionCode",
    "Reading",
    "StripeKeyNotAccepted",
    "complete",
    "find_cause",
    "find_promotion_code",
    "is_replayed",
    "is_truncated",
    "open_stripe",
    "read_object",
    "read_rest",
    "redeeming",
    "translate_errors",
]
