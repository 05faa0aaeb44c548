"""Reads Stripe's error from the SDK's exception."""

from collections.abc import Mapping

import stripe

from gateway.stripe_answer import StripeAnswer


def read_answer(error: stripe.StripeError) -> StripeAnswer:
    """Return the answer in an exception of the SDK."""
    body = error.error
    headers = _lower(error.headers)
    retry_after = headers.get("retry-after", "")
    return StripeAnswer(
        status=error.http_status or 0,
        code=error.code or "",
        param=getattr(error, "param", None) or "",
        decline_code=getattr(body, "decline_code", None) or "",
        request_id=error.request_id or "",
        message=error.user_message or "",
        is_replayed=is_replayed(headers),
        retry_after=int(retry_after) if retry_after.isdecimal() else 0,
    )


def is_replayed(headers: Mapping[str, str]) -> bool:
    """Whether Stripe repeats the stored answer of an idempotency key."""
    return _lower(headers).get("idempotent-replayed") == "true"


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): f"{text}" for name, text in dict(headers or {}).items()}
