"""The gateway's client of Stripe, against any address."""

from contextlib import AbstractAsyncContextManager

import stripe

from gateway.settings import StripeSettings
from gateway.stripe_api import open_stripe


def open_client(
    origin: str, seconds: float = 5
) -> AbstractAsyncContextManager[stripe.StripeClient]:
    """Open a client with the key ``sk_test_secret``."""
    settings = StripeSettings(
        pocketbase_url="http://127.0.0.1:9",
        pocketbase_superuser_email="a@example.com",
        pocketbase_superuser_password="secret",  # type: ignore[arg-type]
        stripe_secret_key="sk_test_secret",  # type: ignore[arg-type]
        stripe_api_base=origin,
        gateway_upstream_timeout=seconds,
    )
    return open_stripe(settings)
