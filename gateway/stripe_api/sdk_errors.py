"""Reads Stripe's error from the SDK's exception."""

from collections.abc import Mapping

import stripe

from gateway.stripe_api.fields import as_text
from gateway.stripe_error import StripeAnswer

#: Stripe's header ``Stripe-Should-Retry``.
_RETRY = {"true": True, "false": False}


def read_answer(error: stripe.StripeError) -> StripeAnswer:
    """Return the answer in an exception of the SDK."""
    body = error.error.to_dict() if error.error else {}
    headers = _lower(error.headers)
    retry_after = headers.get("retry-after", "")

    def read(name: str) -> str:
        return as_text(body.get(name))

    return StripeAnswer(
        status=error.http_status or 0,
        type=read("type"),
        code=error.code or read("code"),
        param=read("param"),
        decline_code=read("decline_code"),
        request_id=headers.get("request-id", ""),
        message=error.user_message or "",
        doc_url=read("doc_url"),
        request_log_url=read("request_log_url"),
        is_replayed=is_replayed(headers),
        should_retry=_RETRY.get(headers.get("stripe-should-retry", "")),
        retry_after=int(retry_after) if retry_after.isdecimal() else 0,
    )


def is_replayed(headers: Mapping[str, str]) -> bool:
    """Whether Stripe repeats the stored answer of an idempotency key."""
    return _lower(headers).get("idempotent-replayed") == "true"


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): f"{as_text}" for name, as_text in dict(headers or {}).items()}
