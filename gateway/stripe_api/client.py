"""The Stripe SDK's client, and its errors in the gateway's terms."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx2
import stripe

from gateway.errors import (
    ConfigurationRefused,
    InputRefused,
    PaymentRequired,
    StripeFailed,
    StripeFailure,
    StripeKeyRefused,
    StripeKeyReused,
    StripeRefused,
    StripeTooSlow,
    StripeUnavailable,
)
from gateway.settings import StripeSettings
from gateway.stripe_api.causes import find_cause
from gateway.stripe_api.http_client import StripeHttpClient
from gateway.stripe_api.key_check import KeyCheck
from gateway.stripe_api.sdk_errors import read_answer
from gateway.stripe_error import StripeAnswer

_log = logging.getLogger(__name__)

#: How often a request that failed on the way, or with a 5xx, is retried; by the SDK, with the same
#: idempotency key.
RETRIES = 2


@asynccontextmanager
async def open_stripe(
    settings: StripeSettings, key_check: KeyCheck | None = None
) -> AsyncIterator[stripe.StripeClient]:
    """Provide the SDK's client, without global state; close its connections at the end.

    Args:
        key_check: tracks the answers about the key.
    """
    # The SDK logs request bodies when its logger is open.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    http_client = StripeHttpClient(settings.gateway_upstream_timeout, key_check or KeyCheck())
    try:
        yield stripe.StripeClient(
            settings.stripe_secret_key.get_secret_value(),
            http_client=http_client,
            base_addresses={"api": settings.stripe_api_base},
            max_network_retries=RETRIES,
        )
    finally:
        await http_client.close_async()  # type: ignore[no-untyped-call]


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate exceptions of a Stripe call into our errors, which carry Stripe's answer.

    Raises:
        StripeUnavailable: no connection, a rate limit, or another request that is in the way.
        StripeTooSlow: no answer in time.
        StripeFailed: a 5xx, or an answer that is not Stripe's.
        PaymentRequired: the customer's bank or card refused.
        StripeKeyReused: the request's key came with another request before.
        StripeKeyRefused: the key is wrong, or lacks a permission.
        ConfigurationRefused: the seller has to change something, such as an expired coupon.
        InputRefused: the buyer has to change something, such as an e-mail address.
        StripeRefused: any other refusal; the three above are such, too.
    """
    try:
        yield
    except stripe.APIConnectionError as error:
        raise (_unreached(error)).of(read_answer(error)) from error
    except stripe.StripeError as error:
        answer = read_answer(error)
        raise _translate(error, answer).of(answer) from error


def _unreached(error: stripe.APIConnectionError) -> StripeUnavailable:
    is_slow = isinstance(error.__cause__, TimeoutError | httpx2.TimeoutException)
    return StripeTooSlow() if is_slow else StripeUnavailable()


def _translate(error: stripe.StripeError, answer: StripeAnswer) -> StripeFailure:
    if isinstance(error, stripe.RateLimitError):
        return StripeUnavailable()
    if isinstance(error, stripe.CardError):
        # Customers don't get the detailed reason, which may be that a card is stolen.
        reason = {"code": answer.code or "card_declined", "message": "The payment failed."}
        return PaymentRequired(data={"payment": reason})
    if answer.status == 409:
        # To the SDK that is not an IdempotencyError, and it has tried again already.
        return StripeUnavailable("Stripe is still processing an earlier request with the same key.")
    if isinstance(error, stripe.IdempotencyError):
        return StripeKeyReused()
    return _refuse(answer)


def _refuse(answer: StripeAnswer) -> StripeFailure:
    if not 400 <= answer.status < 500:
        _log.error("stripe failed", extra=answer.log_fields)
        return StripeFailed()
    if answer.status in (401, 403):
        _log.error(
            "stripe refused the key", extra={**answer.log_fields, "stripe_message": answer.message}
        )
        return StripeKeyRefused()
    cause = find_cause(answer)
    log = _log.info if cause and not cause.is_sellers else _log.error
    log("stripe refused", extra=answer.log_fields)
    if cause is None:
        reason = {"code": "stripe_refused", "message": StripeRefused().title}
        return StripeRefused(data={"stripe": reason})
    kind = ConfigurationRefused if cause.is_sellers else InputRefused
    return kind(cause.message, cause.data)
