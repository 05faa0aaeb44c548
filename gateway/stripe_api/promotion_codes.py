"""Promotion codes, as people type them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.errors import StripeRefused, invalid_field
from gateway.rows import Json
from gateway.stripe_api.causes import COUPON, PROMOTION_CODE, find_cause
from gateway.stripe_api.client import translate_errors
from gateway.stripe_api.fields import as_dict, as_list, stripe_id

if TYPE_CHECKING:
    from stripe.params import PromotionCodeListParams


@dataclass(frozen=True, slots=True)
class PromotionCode:
    """A code that works, and the coupon that it gives."""

    stripe_id: str
    coupon: str


async def find_promotion_code(
    client: stripe.StripeClient, code: str, customer: str
) -> PromotionCode:
    """Return the discount of a code for a customer ("" if there is none yet).

    Raises:
        InvalidRequest: there is no such code, or it is another customer's: the answer is the same.
        StripeUnavailable, StripeRefused
    """
    params: PromotionCodeListParams = {"code": code, "active": True, "limit": 100}
    found = await _list(client, params)
    # One text may be a code of many customers, each with a promotion code of their own.
    if not _pick(found, customer) and found.get("has_more") and customer:
        found = await _list(client, {**params, "customer": customer})
    if picked := _pick(found, customer):
        return picked
    raise invalid_field("promotion_code", "promotion_code_unknown", "This code is not valid.")


async def _list(client: stripe.StripeClient, params: "PromotionCodeListParams") -> Json:
    with translate_errors():
        found = await client.v1.promotion_codes.list_async(params)
    return found.to_dict()


def _pick(found: Json, customer: str) -> PromotionCode | None:
    for entry in as_list(found):
        coupon = stripe_id(as_dict(entry.get("promotion")).get("coupon"))
        if coupon and stripe_id(entry.get("customer")) in ("", customer):
            return PromotionCode(stripe_id(entry), coupon)
    return None


@contextmanager
def redeeming(field: str) -> Iterator[None]:
    """Name the caller's field when Stripe refuses the code or coupon that was given in it.

    A code may be for first purchases only, or for larger ones. Any other refusal passes.

    Args:
        field: "" where the caller gave nothing.

    Raises:
        InvalidRequest
    """
    try:
        yield
    except StripeRefused as refused:
        if not field or find_cause(refused.stripe) not in (COUPON, PROMOTION_CODE):
            raise
        code = f"{field}_not_applicable"
        raise invalid_field(field, code, "This does not apply here.") from refused
