"""Sends changes of a subscription to Stripe under idempotency keys."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import stripe

from gateway.billing.subscriptions.subscription import CustomerSubscription
from gateway.errors import PaymentRequired, StripeFailed, StripeRefused
from gateway.ids import idempotency_key
from gateway.stripe_api import translate_errors

#: Equal requests without a key within this time count as one (a double click).
_CLICK_SECONDS = 10


async def send_once(
    kind: str,
    subscription: CustomerSubscription,
    params: Any,
    call: Callable[[stripe.RequestOptions], Awaitable[object]],
    *,
    key: str,
) -> None:
    """Call Stripe with an idempotency key.

    Stripe stores the answer to a key for a day, also failures and refusals. So a failure, or a
    stored refusal, is tried once more under another key. This is safe because all these requests
    set values and add nothing.

    Args:
        kind: distinguishes requests with one caller's key.
        params: the request parameters, part of the key.
        call: sends the request with the options.
        key: the caller's Idempotency-Key, "" without one.

    Raises:
        StripeUnavailable, StripeRefused, PaymentRequired, IdempotencyKeyReused
    """
    first, second = _keys(kind, subscription, params, key)
    try:
        with translate_errors():
            await call({"idempotency_key": first})
    except (StripeFailed, StripeRefused, PaymentRequired) as failed:
        if not isinstance(failed, StripeFailed) and not failed.stripe.is_replayed:
            raise
        with translate_errors():
            await call({"idempotency_key": second})


def _keys(kind: str, subscription: CustomerSubscription, params: Any, key: str) -> tuple[str, str]:
    window = str(int(time.time()) // _CLICK_SECONDS)
    if key:
        parts = (subscription.buyer.user, subscription.stripe_id, key)
        return idempotency_key(kind, *parts), idempotency_key(kind, *parts, window)
    # The version changes with each change, so a change back and forth has new keys.
    parts = (subscription.stripe_id, subscription.version, repr(params))
    return idempotency_key(kind, *parts, window), idempotency_key(kind, *parts, window, "again")
