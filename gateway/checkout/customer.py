"""The one Stripe customer of a user."""

from typing import TYPE_CHECKING

import stripe

from gateway.buyer import Buyer, read_buyer
from gateway.ids import record_id
from gateway.pocketbase import Group, PocketBase, commit
from gateway.stripe_api import translate_errors
from gateway.writes import USER_METADATA, Claim

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams


async def ensure_customer(
    client: stripe.StripeClient, pocketbase: PocketBase, buyer: Buyer, token: str
) -> str:
    """Return the id of the user's Stripe customer; make it on the first purchase.

    However many requests of one user run at once, Stripe makes one customer, because they send the
    same idempotency key. PocketBase then says which customer is the user's: it keeps one.

    Raises:
        StripeUnavailable, StripeRefused, PocketBaseUnavailable, Unauthenticated
    """
    if buyer.customer:
        return buyer.customer
    with translate_errors():
        created = await client.v1.customers.create_async(
            _params(buyer), {"idempotency_key": _idempotency_key(buyer)}
        )
    claim = Claim(created.id, buyer.user, primary=True, since=created.created)
    await commit(pocketbase, Group(claims=[claim]))
    return (await read_buyer(pocketbase, token)).customer or created.id


def _params(buyer: Buyer) -> "CustomerCreateParams":
    params: CustomerCreateParams = {
        "email": buyer.email,
        "metadata": {USER_METADATA: buyer.user},
    }
    if buyer.name:
        params["name"] = buyer.name
    return params


def _idempotency_key(buyer: Buyer) -> str:
    """The same for the same parameters: Stripe refuses a key that comes back with others.

    Another after a customer is deleted: to the old key Stripe would name the deleted one for a day.
    """
    who = f"{buyer.user}|{buyer.email}|{buyer.name}|{buyer.deleted_customers}"
    return f"customer-{record_id(who)}"
