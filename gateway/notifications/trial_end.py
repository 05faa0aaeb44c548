"""The consequences of a trial's end, from a subscription's event. Pure.

The estimate is used if Stripe can't preview the invoice.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from gateway.mirror.nested_lists import is_truncated
from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, item_price


def missing_payment_method(subscription: Json) -> object:
    """Return what happens without a payment method: cancel, pause or create_invoice."""
    settings = as_dict(subscription.get("trial_settings"))
    return as_dict(settings.get("end_behavior")).get("missing_payment_method")


def estimate(subscription: Json) -> int | None:
    """Return the first invoice's amount with discounts and tax; None if the event lacks a part."""
    items = as_list(subscription.get("items"))
    lines = [_line_amount(item) for item in items]
    discounts = _discounts(subscription)
    is_hidden = (
        is_truncated(subscription)
        or as_dict(subscription.get("automatic_tax")).get("enabled")
        or any(item.get("discounts") for item in items)
    )
    known = [line for line in lines if line is not None]
    if discounts is None or is_hidden or len(known) != len(lines):
        return None
    subtotal = Fraction(sum(known))
    reduced = _reduce(subtotal, discounts)
    if reduced is None:
        return None
    share = reduced / subtotal if subtotal else Fraction(0)
    rates = [_rates(item, subscription) for item in items]
    tax = sum(line * share * _exclusive(each) for line, each in zip(known, rates, strict=True))
    return round(reduced + tax)


def _line_amount(item: Json) -> int | None:
    price = item_price(item)
    amount, quantity = price.get("unit_amount"), item.get("quantity", 1)
    is_metered = as_dict(price.get("recurring")).get("usage_type") == "metered"
    if is_metered or price.get("transform_quantity") or price.get("billing_scheme") == "tiered":
        return None
    is_whole = type(amount) is int and type(quantity) is int
    return amount * quantity if is_whole else None


def _discounts(subscription: Json) -> Sequence[Json] | None:
    """Return the applied coupons; None if the event shows only their ids."""
    given = subscription.get("discounts")
    found = given if isinstance(given, list) and given else [subscription.get("discount")]
    coupons = [_coupon(each) for each in found if each]
    return None if any(coupon is None for coupon in coupons) else [c for c in coupons if c]


def _coupon(discount: object) -> Json | None:
    """Return the coupon of a discount, which is under ``source`` since 2025-09-30.clover."""
    shown = as_dict(discount)
    coupon = as_dict(shown.get("source")).get("coupon") or shown.get("coupon")
    return coupon if isinstance(coupon, dict) else None


def _reduce(subtotal: Fraction, coupons: Iterable[Json]) -> Fraction | None:
    left = subtotal
    for coupon in coupons:
        percent, amount = _percentage(coupon.get("percent_off")), coupon.get("amount_off")
        if percent is not None:
            left -= left * percent
        elif type(amount) is int:
            left -= amount
        else:
            return None
    return max(left, Fraction(0))


def _rates(item: Json, subscription: Json) -> list[Json]:
    return as_list(item.get("tax_rates")) or as_list(subscription.get("default_tax_rates"))


def _exclusive(rates: Iterable[Json]) -> Fraction:
    """Return the sum of the exclusive rates, as a share of 1."""
    shares = [_percentage(rate.get("percentage")) for rate in rates if not rate.get("inclusive")]
    return sum((share for share in shares if share is not None), Fraction(0))


def _percentage(value: object) -> Fraction | None:
    """Return a percentage (a number, or a decimal string since dahlia) as a share of 1."""
    try:
        return Fraction(str(value)) / 100
    except (ValueError, ZeroDivisionError):
        return None
