"""Applies a discount to a subscription: a promotion code, or a self-service coupon.

A subscription has one discount at a time, and each coupon once: its metadata records the coupons.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import stripe

from gateway.billing.subscriptions.idempotency import send_once
from gateway.billing.subscriptions.state_checks import require_collecting, require_unplanned
from gateway.billing.subscriptions.subscription import CustomerSubscription, conflict, require_live
from gateway.errors import invalid_field
from gateway.ids import record_id
from gateway.rows import Json
from gateway.stripe_api import find_promotion_code, redeeming
from gateway.stripe_api.fields import as_dict, as_list, as_number, as_text, stripe_id
from gateway.vocabulary import COUPON_METADATA

if TYPE_CHECKING:
    from stripe.params import SubscriptionUpdateParams, SubscriptionUpdateParamsDiscount


@dataclass(frozen=True, slots=True)
class Discount:
    """A coupon, and the id of its promotion code, "" without one."""

    #: The request's field that named it.
    field: str
    coupon: str
    promotion_code: str = ""

    @property
    def source(self) -> "SubscriptionUpdateParamsDiscount":
        """The request parameter for Stripe."""
        if self.promotion_code:
            return {"promotion_code": self.promotion_code}
        return {"coupon": self.coupon}

    @property
    def metadata(self) -> str:
        """The metadata key that records this coupon on a subscription."""
        return f"{COUPON_METADATA}{record_id(self.coupon)}"


async def find_code(
    client: stripe.StripeClient, subscription: CustomerSubscription, code: str
) -> Discount:
    """Return the discount of a promotion code for the subscription's customer.

    Raises:
        InvalidRequest: the code does not exist or is for another customer; the error is the same.
        StripeUnavailable, StripeRefused
    """
    found = await find_promotion_code(client, code, stripe_id(subscription.body.get("customer")))
    return Discount("promotion_code", found.coupon, found.stripe_id)


def find_coupon(coupon: str, allowed: Collection[str]) -> Discount:
    """Return the discount of a coupon.

    Args:
        allowed: the setting GATEWAY_SELF_SERVICE_COUPONS.

    Raises:
        InvalidRequest: the coupon is not one of these.
    """
    if coupon not in allowed:
        raise invalid_field("coupon", "coupon_unknown", "This coupon is not offered.")
    return Discount("coupon", coupon)


async def give_discount(
    client: stripe.StripeClient, subscription: CustomerSubscription, discount: Discount, *, key: str
) -> None:
    """Apply a discount; repeating the call while the discount runs changes nothing.

    Args:
        key: the caller's Idempotency-Key, "" without one.

    Raises:
        Conflict: the subscription ended, has another discount, or had this one before; a schedule
            manages it, or its collection is paused.
        InvalidRequest: Stripe refuses the discount for this subscription.
        StripeUnavailable, StripeRefused, IdempotencyKeyReused
    """
    require_live(subscription)
    require_unplanned(subscription)
    require_collecting(subscription)
    running = _running(subscription)
    if discount.coupon in running:
        return
    if running:
        raise conflict("discount_running", "Another discount is still running.")
    if discount.metadata in as_dict(subscription.body.get("metadata")):
        raise conflict("coupon_used", "This subscription had this discount before.")
    params: SubscriptionUpdateParams = {
        "discounts": [discount.source],
        "metadata": {discount.metadata: discount.coupon},
    }
    update = partial(client.v1.subscriptions.update_async, subscription.stripe_id, params)
    with redeeming(discount.field):
        await send_once("discount", subscription, params, update, key=key)


def _running(subscription: CustomerSubscription) -> set[str]:
    """Return the coupons of the discounts that have not ended."""
    found = as_list(subscription.body.get("discounts"))
    return {
        _coupon_of(discount)
        for discount in found
        if not 0 < as_number(discount.get("end")) <= subscription.now
    }


def _coupon_of(discount: Json) -> str:
    source = as_dict(discount.get("source"))
    return stripe_id(source.get("coupon")) or as_text(as_dict(discount.get("coupon")).get("id"))
