"""Adds the customer portal to the refusal of a second subscription."""

from typing import TYPE_CHECKING

import stripe

from gateway.checkout.quote import AlreadySubscribed
from gateway.checkout.session_params import CheckoutPage
from gateway.customers.buyer import Buyer
from gateway.errors import GatewayError
from gateway.stripe_api import translate_errors

if TYPE_CHECKING:
    from stripe.params.billing_portal import SessionCreateParams


async def add_portal_link(
    client: stripe.StripeClient,
    refused: AlreadySubscribed,
    buyer: Buyer,
    page: CheckoutPage,
    configuration: str = "",
) -> AlreadySubscribed:
    """Return the error with ``portal_url``; unchanged if Stripe can't open the portal.

    Args:
        page: the portal leads back to its cancel_url or return_url.
        configuration: the id of a portal configuration, "" for Stripe's default.
    """
    customer = refused.customer or buyer.portal_customer
    if not customer:
        return refused
    params: SessionCreateParams = {
        "customer": customer,
        "return_url": page.cancel_url or page.return_url,
    }
    if configuration:
        params["configuration"] = configuration
    try:
        with translate_errors():
            session = await client.v1.billing_portal.sessions.create_async(params)
    except GatewayError:
        return refused  # The seller may not have set up the portal.
    return AlreadySubscribed(members={"portal_url": session.url})
