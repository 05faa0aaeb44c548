"""Refuses a purchase while an incomplete subscription can still be paid.

Otherwise the buyer could pay both, its first invoice and the new purchase. The state is read from
Stripe, because incomplete subscriptions expire.
"""

from dataclasses import replace
from urllib.parse import quote

import stripe

from gateway.checkout.quote import AlreadySubscribed
from gateway.customers.buyer import Buyer
from gateway.rows import Json
from gateway.stripe_api import Missing, read_object
from gateway.stripe_api.fields import as_dict, as_text, stripe_id
from gateway.vocabulary import ENDED_SUBSCRIPTION


def without_incomplete(buyer: Buyer) -> Buyer:
    """Return the buyer without the incomplete subscriptions. Pure."""
    if buyer.history is None:
        return buyer
    held = tuple(each for each in buyer.history.subscriptions if each.status != "incomplete")
    return replace(buyer, history=buyer.history.model_copy(update={"subscriptions": held}))


async def require_none_payable(client: stripe.StripeClient, buyer: Buyer) -> None:
    """Check the buyer's incomplete subscriptions at Stripe.

    Raises:
        AlreadySubscribed: one can be paid, on the page in the member ``hosted_invoice_url``.
        StripeUnavailable, StripeRefused
    """
    for each in buyer.history.subscriptions if buyer.history else ():
        if each.status == "incomplete":
            found = await _read(client, each.stripe_id)
            if found and found.get("status") not in ENDED_SUBSCRIPTION:
                raise _describe_payment(found)


async def _read(client: stripe.StripeClient, subscription: str) -> Json:
    path = f"/v1/subscriptions/{quote(subscription, safe='')}?expand[]=latest_invoice"
    try:
        return (await read_object(client, path)).body
    except Missing:
        return {}


def _describe_payment(subscription: Json) -> AlreadySubscribed:
    if subscription.get("status") != "incomplete":
        return AlreadySubscribed("Change the running subscription instead of buying another.")
    message = (
        "A subscription waits for its first payment: pay its invoice, or cancel it "
        "(POST /subscriptions/{id}/cancel) and buy again."
    )
    invoice = as_dict(subscription.get("latest_invoice"))
    members = {
        "subscription": stripe_id(subscription),
        "hosted_invoice_url": as_text(invoice.get("hosted_invoice_url")),
    }
    reason = {"code": "subscription_incomplete", "message": message}
    return AlreadySubscribed(message, {"subscription": reason | members}, members=members)
