"""The seam to Stripe: the SDK's client, reads with their time, and errors in our own terms."""

from gateway.stripe_api.causes import Cause, find_cause
from gateway.stripe_api.client import RETRIES, open_stripe, translate_errors
from gateway.stripe_api.key_check import PROBE, KeyCheck, StripeKeyNotAccepted
from gateway.stripe_api.promotion_codes import (
    PromotionCode,
    find_promotion_code,
    redeeming,
)
from gateway.stripe_api.sdk_errors import is_replayed
from gateway.stripe_api.snapshot import Missing, Snapshot, SyncSnapshot, read_object

__all__ = [
    "PROBE",
    "RETRIES",
    "Cause",
    "KeyCheck",
    "Missing",
    "PromotionCode",
    "Snapshot",
    "StripeKeyNotAccepted",
    "SyncSnapshot",
    "find_cause",
    "find_promotion_code",
    "is_replayed",
    "open_stripe",
    "read_object",
    "redeeming",
    "translate_errors",
]
