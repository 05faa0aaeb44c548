"""What happens at Stripe to a customer whose user is deleted."""

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import stripe

from gateway.customers.end_purchases import end_purchases
from gateway.stripe_api import Missing, read_object, translate_errors

if TYPE_CHECKING:
    from stripe.params import CustomerUpdateParams

#: The setting ``GATEWAY_USER_DELETION_POLICY``.
DeletionPolicy = Literal["keep", "cancel", "delete"]

#: What Stripe keeps of a customer that is deleted, unless it is emptied first.
_NOBODY: "CustomerUpdateParams" = {
    "address": "",
    "description": "",
    "email": "",
    "name": "",
    "phone": "",
    "shipping": "",
}


async def delete_customer(
    client: stripe.StripeClient, customer: str, farewell: DeletionPolicy, key: str
) -> str:
    """Do what the setting says, and return what has become of the customer.

    To do it again changes nothing.

    Args:
        key: for Stripe's idempotency keys; another for each try.

    Raises:
        StripeUnavailable, StripeRefused: it is to be tried again.
    """
    if farewell == "keep":
        return "kept"
    path = f"/v1/customers/{quote(customer, safe='')}"
    try:
        if (await read_object(client, path)).body.get("deleted"):
            return "deleted"
    except Missing:
        return "gone"
    await end_purchases(client, customer)
    if farewell == "cancel":
        return "canceled"
    with translate_errors():
        await client.v1.customers.update_async(
            customer, _NOBODY, {"idempotency_key": f"forget-{key}"}
        )
        await client.v1.customers.delete_async(customer)
    return "deleted"
