"""Cancels or deletes a Stripe customer after its user or organization was deleted."""

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import stripe

from gateway.customers.end_purchases import end_purchases
from gateway.rows import Json
from gateway.stripe_api import Missing, read_object, translate_errors

if TYPE_CHECKING:
    from stripe.params import CustomerUpdateParams

#: The setting ``GATEWAY_USER_DELETION_POLICY``.
DeletionPolicy = Literal["keep", "cancel", "delete"]

#: Personal data that Stripe keeps of a deleted customer, unless it is cleared before.
_CLEARED: "CustomerUpdateParams" = {
    "address": "",
    "description": "",
    "email": "",
    "name": "",
    "phone": "",
    "shipping": "",
}

#: The gateway's own metadata: ids, by which late events are matched with the deleted payer.
_OWN = "pocketbase_"


def _clear(customer: Json) -> "CustomerUpdateParams":
    """Return an update that empties personal data, also in the seller's metadata."""
    names = [name for name in customer.get("metadata") or {} if not name.startswith(_OWN)]
    return {**_CLEARED, "metadata": dict.fromkeys(names, "")} if names else _CLEARED


async def delete_customer(
    client: stripe.StripeClient, customer: str, policy: DeletionPolicy, key: str
) -> str:
    """Apply the policy; return ``kept``, ``canceled``, ``deleted``, or ``gone`` if missing.

    Repeating it changes nothing.

    Args:
        key: part of Stripe's idempotency key; a new one per try.

    Raises:
        StripeUnavailable, StripeRefused: try again later.
    """
    if policy == "keep":
        return "kept"
    path = f"/v1/customers/{quote(customer, safe='')}"
    try:
        found = (await read_object(client, path)).body
    except Missing:
        return "gone"
    if found.get("deleted"):
        return "deleted"
    await end_purchases(client, customer)
    if policy == "cancel":
        return "canceled"
    with translate_errors():
        await client.v1.customers.update_async(
            customer, _clear(found), {"idempotency_key": f"forget-{key}"}
        )
        await client.v1.customers.delete_async(customer)
    return "deleted"
