"""What happens at Stripe to a customer whose user is deleted."""

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import stripe

from gateway.errors import StripeUnavailable
from gateway.stripe_api import Missing, read_object, translate_errors
from gateway.writes import Json

if TYPE_CHECKING:
    from stripe.params import CustomerUpdateParams

#: The setting ``GATEWAY_ON_USER_DELETE``.
Farewell = Literal["keep", "cancel", "delete"]

#: Pages of a hundred; more than that waits for the next try.
_PAGES = 10
#: What Stripe keeps of a customer that is deleted, unless it is emptied first.
_NOBODY: "CustomerUpdateParams" = {
    "address": "",
    "description": "",
    "email": "",
    "name": "",
    "phone": "",
    "shipping": "",
}


async def bid_farewell(
    client: stripe.StripeClient, customer: str, farewell: Farewell, key: str
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
    await _end_purchases(client, customer)
    if farewell == "cancel":
        return "canceled"
    with translate_errors():
        await client.v1.customers.update_async(
            customer, _NOBODY, {"idempotency_key": f"forget-{key}"}
        )
        await client.v1.customers.delete_async(customer)
    return "deleted"


async def _end_purchases(client: stripe.StripeClient, customer: str) -> None:
    """What is open first, so that nothing begins while the rest ends."""
    for _ in range(_PAGES):
        sessions = await _list(client, "checkout/sessions", customer, "&status=open")
        subscriptions = await _list(client, "subscriptions", customer)
        if not sessions and not subscriptions:
            return
        for session in sessions:
            await _expire(client, session["id"])
        for subscription in subscriptions:
            await _cancel(client, subscription["id"])
    raise StripeUnavailable("There is more to end than one try can.")


async def _list(
    client: stripe.StripeClient, folder: str, customer: str, more: str = ""
) -> list[Json]:
    path = f"/v1/{folder}?limit=100&customer={quote(customer, safe='')}{more}"
    found: list[Json] = (await read_object(client, path)).body["data"]
    return found


async def _expire(client: stripe.StripeClient, session: str) -> None:
    with translate_errors():
        try:
            await client.v1.checkout.sessions.expire_async(session)
        except stripe.InvalidRequestError:
            return  # Completed meanwhile: the next look finds what came of it.


async def _cancel(client: stripe.StripeClient, subscription: str) -> None:
    with translate_errors():
        try:
            await client.v1.subscriptions.cancel_async(subscription)
        except stripe.InvalidRequestError as error:
            if error.http_status != 404:
                raise
