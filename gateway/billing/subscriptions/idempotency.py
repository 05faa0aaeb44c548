"""Sends a wish about a subscription to Stripe so that it is granted once."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import stripe

from gateway.billing.subscriptions.subscription import CustomerSubscription
from gateway.errors import PaymentRequired, StripeFailed, StripeRefused
from gateway.ids import idempotency_key
from gateway.stripe_api import translate_errors

#: Seconds within which two equal wishes without a key are one.
_CLICKS = 10


async def send_once(
    kind: str,
    subscription: CustomerSubscription,
    params: Any,
    call: Callable[[stripe.RequestOptions], Awaitable[object]],
    *,
    key: str,
) -> None:
    """Call Stripe with an idempotency key.

    Stripe stores the answer to a key for a day, failures and refusals too. So a failure, or a
    refusal that Stripe repeats, is tried once more under another key: all our requests say how
    things are to be, not what to add, and to grant them twice is harmless.

    Args:
        kind: tells wishes of one caller's key apart.
        key: the caller's Idempotency-Key, "" if there is none.

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
    moment = str(int(time.time()) // _CLICKS)
    if key:
        wish = (subscription.buyer.user, subscription.stripe_id, key)
        return idempotency_key(kind, *wish), idempotency_key(kind, *wish, moment)
    # The version is another after each change: who goes back and forth wishes anew.
    wish = (subscription.stripe_id, subscription.version, repr(params))
    return idempotency_key(kind, *wish, moment), idempotency_key(kind, *wish, moment, "again")
