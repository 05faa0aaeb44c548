"""Stripe's customer portal, opened for one customer."""

import stripe

from gateway.stripe_api import translate_errors


async def create_portal_session(client: stripe.StripeClient, customer: str, return_url: str) -> str:
    """Return the portal's address; it is good for a few minutes.

    Raises:
        StripeUnavailable, StripeRefused
    """
    with translate_errors():
        session = await client.v1.billing_portal.sessions.create_async(
            {"customer": customer, "return_url": return_url}
        )
    return session.url
