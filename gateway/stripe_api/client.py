"""The Stripe SDK on the gateway's own connections, and its errors in the gateway's terms."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

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
from gateway.stripe_answer import StripeAnswer
from gateway.stripe_api.answer import read_answer
from gateway.stripe_api.causes import find_cause
from gateway.stripe_api.short_way import Client
from gateway.stripe_api.transport import Transport

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_stripe(settings: StripeSettings) -> AsyncIterator[Client]:
    """Give the SDK's client; it holds no global state. Its connections close at the end."""
    # The SDK logs request bodies when its logger is open.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    transport = Transport(settings.stripe_api_base, settings.gateway_upstream_timeout)
    try:
        secret_key = settings.stripe_secret_key.get_secret_value()
        yield Client(secret_key, settings.stripe_api_base, transport)
    finally:
        await transport.close_async()


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what a Stripe call raises into our errors, which carry Stripe's answer.

    Raises:
        StripeUnavailable: no connection, a rate limit, or another request that is in the way.
        StripeTooSlow: no answer in time.
        StripeFailed: a 5xx.
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
    return StripeTooSlow() if isinstance(error.__cause__, TimeoutError) else StripeUnavailable()


def _translate(error: stripe.StripeError, answer: StripeAnswer) -> StripeFailure:
    if isinstance(error, stripe.RateLimitError):
        return StripeUnavailable()
    if isinstance(error, stripe.CardError):
        # Customers don't get the detailed reason, which may be that a card is stolen.
        reason = {"code": answer.code or "card_declined", "message": "The payment failed."}
        return PaymentRequired(data={"payment": reason})
    if answer.status == 409:
        # To the SDK that is no IdempotencyError, and it has tried again already.
        return StripeUnavailable("Stripe is still processing an earlier request with the same key.")
    if isinstance(error, stripe.IdempotencyError):
        return StripeKeyReused()
    return _refuse(answer)


def _refuse(answer: StripeAnswer) -> StripeFailure:
    if not answer.status or answer.status >= 500:
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
