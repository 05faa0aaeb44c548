"""Gives a subscription a discount: a promotion code, or a coupon that the seller opened to users.

One at a time, and each coupon once in a subscription's life: what was given stands in its metadata.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import stripe

from gateway.billing.idempotency import send_once
from gateway.billing.state import require_collecting, require_unplanned
from gateway.billing.subscription import OwnedSubscription, conflict, require_live
from gateway.errors import invalid_field
from gateway.ids import record_id
from gateway.shapes import listing, mapping, number, stripe_id, text
from gateway.stripe_api import find_promotion_code, redeeming
from gateway.vocabulary import COUPON_METADATA
from gateway.writes import Json

if TYPE_CHECKING:
    from stripe.params import SubscriptionUpdateParams, SubscriptionUpdateParamsDiscount


@dataclass(frozen=True, slots=True)
class Offer:
    """A coupon, and the promotion code that led to it, if one did."""

    field: str
    coupon: str
    promotion_code: str = ""

    @property
    def source(self) -> "SubscriptionUpdateParamsDiscount":
        """What Stripe is to redeem."""
        if self.promotion_code:
            return {"promotion_code": self.promotion_code}
        return {"coupon": self.coupon}

    @property
    def metadata(self) -> str:
        """The key under which a subscription says that it had this coupon."""
        return f"{COUPON_METADATA}{record_id(self.coupon)}"


async def find_code(
    client: stripe.StripeClient, subscription: OwnedSubscription, code: str
) -> Offer:
    """Return what a promotion code gives to the subscription's customer.

    Raises:
        InvalidRequest: there is no such code, or it is another customer's: the answer is the same.
        StripeUnavailable, StripeRefused
    """
    found = await find_promotion_code(client, code, stripe_id(subscription.body.get("customer")))
    return Offer("promotion_code", found.coupon, found.stripe_id)


def find_coupon(coupon: str, allowed: Collection[str]) -> Offer:
    """Return what a coupon gives, if users may take it themselves.

    Raises:
        InvalidRequest: they may not, or there is none.
    """
    if coupon not in allowed:
        raise invalid_field("coupon", "coupon_unknown", "This coupon is not offered.")
    return Offer("coupon", coupon)


async def give_discount(
    client: stripe.StripeClient, subscription: OwnedSubscription, offer: Offer, *, key: str
) -> None:
    """Redeem an offer for a subscription; to ask again while it runs changes nothing.

    Raises:
        Conflict: the subscription ended, has another discount, or had this one before; a schedule
            decides about it, or its collection is paused.
        InvalidRequest: Stripe does not redeem it here.
        StripeUnavailable, StripeRefused, IdempotencyKeyReused
    """
    require_live(subscription)
    require_unplanned(subscription)
    require_collecting(subscription)
    running = _running(subscription)
    if offer.coupon in running:
        return
    if running:
        raise conflict("discount_running", "Another discount is still running.")
    if offer.metadata in mapping(subscription.body.get("metadata")):
        raise conflict("coupon_used", "This subscription had this discount before.")
    params: SubscriptionUpdateParams = {
        "discounts": [offer.source],
        "metadata": {offer.metadata: offer.coupon},
    }
    update = partial(client.v1.subscriptions.update_async, subscription.stripe_id, params)
    with redeeming(offer.field):
        await send_once("discount", subscription, params, update, key=key)


def _running(subscription: OwnedSubscription) -> set[str]:
    """The coupons of the discounts that have not ended."""
    found = listing(subscription.body.get("discounts"))
    return {
        _coupon_of(discount)
        for discount in found
        if not 0 < number(discount.get("end")) <= subscription.now
    }


def _coupon_of(discount: Json) -> str:
    source = mapping(discount.get("source"))
    return stripe_id(source.get("coupon")) or text(mapping(discount.get("coupon")).get("id"))
