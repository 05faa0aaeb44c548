"""A Stripe Checkout session for what a user wants to buy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import stripe

from gateway.buyer import Buyer, Price
from gateway.errors import InvalidRequest
from gateway.stripe_api import translate_errors
from gateway.writes import ITEM_METADATA, USER_METADATA

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

Mode = Literal["payment", "subscription"]


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the purchase: a price id or lookup key, and how many."""

    price: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Line:
    """An item whose price is known and for sale."""

    price: Price
    quantity: int


def resolve_items(items: Sequence[Item], prices: Sequence[Price]) -> tuple[Line, ...]:
    """Find each item's price among those PocketBase knows.

    Raises:
        InvalidRequest: a price is unknown or not active; ``data`` names the item.
    """
    known = {price.stripe_id: price for price in prices}
    known |= {price.lookup_key: price for price in prices if price.lookup_key and price.active}
    lines = []
    for place, item in enumerate(items):
        price = known.get(item.price)
        if price is None or not price.active:
            code = "price_unknown" if price is None else "price_inactive"
            reason = {"code": code, "message": "This price is not for sale."}
            raise InvalidRequest("A price is not for sale.", {f"items.{place}.price": reason})
        lines.append(Line(price, item.quantity))
    return tuple(lines)


def mode_of(lines: Sequence[Line]) -> Mode:
    """The prices decide the mode: one recurring price makes it a subscription."""
    recurring = any(line.price.type == "recurring" for line in lines)
    return "subscription" if recurring else "payment"


async def create_session(
    client: stripe.StripeClient,
    buyer: Buyer,
    customer: str,
    lines: Sequence[Line],
    *,
    success_url: str,
    cancel_url: str,
) -> stripe.checkout.Session:
    """Create the session; the user stands in it, and in the subscription or payment it leads to.

    Raises:
        StripeUnavailable, StripeRefused
    """
    params = _params(buyer, customer, lines, success_url, cancel_url)
    with translate_errors():
        return await client.v1.checkout.sessions.create_async(params)


def _params(
    buyer: Buyer, customer: str, lines: Sequence[Line], success_url: str, cancel_url: str
) -> "SessionCreateParams":
    metadata = {USER_METADATA: buyer.user}
    params: SessionCreateParams = {
        "mode": mode_of(lines),
        "customer": customer,
        "client_reference_id": buyer.user,
        "line_items": [
            {"price": line.price.stripe_id, "quantity": line.quantity} for line in lines
        ],
        "success_url": success_url,
        "cancel_url": cancel_url,
        "metadata": metadata | _name_items(lines),
    }
    # Stripe copies a session's metadata to nothing by itself.
    if params["mode"] == "subscription":
        params["subscription_data"] = {"metadata": metadata}
    else:
        params["payment_intent_data"] = {"metadata": metadata}
    return params


def _name_items(lines: Sequence[Line]) -> dict[str, str]:
    """Recurring ones are in the subscription."""
    once = (line for line in lines if line.price.type == "one_time")
    return {
        f"{ITEM_METADATA}{place}": f"{line.price.stripe_id}:{line.quantity}"
        for place, line in enumerate(once, 1)
    }
