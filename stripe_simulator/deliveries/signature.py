"""Stripe's webhook signature: `t=…,v1=…`, an HMAC-SHA256 over `t.payload`."""

import hashlib
import hmac


def header(payload: bytes, secret: str, timestamp: int) -> str:
    """Return the Stripe-Signature header; receivers hold `timestamp` against real time."""
    signed = str(timestamp).encode() + b"." + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
