"""The Stripe SDK on the gateway's own connections, and its errors in the gateway's terms."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import stripe

from gateway.errors import (
    IdempotencyKeyReused,
    PaymentRequired,
    StripeFailed,
    StripeRefused,
    StripeTooSlow,
    StripeUnavailable,
)
from gateway.settings import StripeSettings
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
    """Turn what a Stripe call raises into our errors, without Stripe's own text.

    Raises:
        StripeUnavailable: no connection, a rate limit, or another request that is in the way.
        StripeTooSlow: no answer in time.
        StripeFailed: a 5xx.
        PaymentRequired: the customer's bank or card refused.
        IdempotencyKeyReused: the request's key came with another request before.
        StripeRefused: Stripe found the request wrong, or the key.
    """
    try:
        yield
    except stripe.APIConnectionError as error:
        if isinstance(error.__cause__, TimeoutError):
            raise StripeTooSlow from error
        raise StripeUnavailable from error
    except stripe.RateLimitError as error:
        raise StripeUnavailable from error
    except stripe.CardError as error:
        # The reason in detail is not for the customer: it may say that a card is stolen.
        reason = {"code": error.code or "card_declined", "message": "The payment failed."}
        raise PaymentRequired(data={"payment": reason}) from error
    except stripe.StripeError as error:
        if error.http_status == 409:
            # To the SDK that is no IdempotencyError, and it has tried again already.
            raise StripeUnavailable("Another request for the same is under way.") from error
        if isinstance(error, stripe.IdempotencyError):
            raise IdempotencyKeyReused from error
        _log.error(
            "stripe refused",
            extra={
                "status": error.http_status,
                "code": error.code,
                "stripe_request": error.request_id,
                "param": getattr(error, "param", None),
            },
        )
        if error.http_status is None or error.http_status >= 500:
            raise StripeFailed from error
        raise StripeRefused from error
