"""Products, prices, coupons, promotion codes and tax rates."""

from gateway.dates import unix_to_column
from gateway.rows import Changes, Json, Row
from gateway.stripe_api.fields import (
    as_dict,
    as_list,
    as_number,
    as_text,
    as_texts,
    relation,
    stripe_id,
)


def project_product(product: Json, deleted: bool) -> Changes:
    """A deleted product stays as a row that is not active, so that nothing brings it back."""
    return _row(
        "products",
        product,
        deleted,
        name=as_text(product.get("name")),
        description=as_text(product.get("description")),
        active=bool(product.get("active")) and not deleted,
        default_price=relation(product.get("default_price")),
        images=as_texts(product.get("images")),
        marketing_features=as_list(product.get("marketing_features") or product.get("features")),
        unit_label=as_text(product.get("unit_label")),
    )


def project_price(price: Json, deleted: bool) -> Changes:
    """The interval columns are empty for a one-time price, and so is an amount that is not fixed.

    Stripe shows tiers and other currencies only when asked: without them the columns stay.
    """
    recurring = as_dict(price.get("recurring"))
    # Only the decimal has fractions of a cent.
    amount = price.get("unit_amount")
    amount = price.get("unit_amount_decimal") if amount is None else amount
    return _row(
        "prices",
        price,
        deleted,
        product=relation(price.get("product")),
        active=bool(price.get("active")) and not deleted,
        type=as_text(price.get("type")),
        currency=as_text(price.get("currency")),
        unit_amount=as_number(amount),
        unit_amount_decimal=as_text(price.get("unit_amount_decimal")),
        amount_type=_amount_type(price),
        custom_unit_amount=as_dict(price.get("custom_unit_amount")) or None,
        transform_quantity=as_dict(price.get("transform_quantity")) or None,
        tiers_mode=as_text(price.get("tiers_mode")),
        **_shown_when_asked(price),
        billing_scheme=as_text(price.get("billing_scheme")),
        interval=as_text(recurring.get("interval")),
        interval_count=as_number(recurring.get("interval_count")),
        usage_type=as_text(recurring.get("usage_type")),
        meter=as_text(recurring.get("meter")),
        trial_period_days=as_number(recurring.get("trial_period_days")),
        lookup_key=as_text(price.get("lookup_key")),
        nickname=as_text(price.get("nickname")),
        tax_behavior=as_text(price.get("tax_behavior")),
    )


def _shown_when_asked(price: Json) -> Json:
    """Tiers, and the amounts in other currencies than the price's own; null if there are none."""
    shown: Json = {}
    if "tiers" in price:
        shown["tiers"] = as_list(price["tiers"]) or None
    if "currency_options" in price:
        options = as_dict(price["currency_options"])
        others = {name: each for name, each in options.items() if name != price.get("currency")}
        shown["currency_options"] = others or None
    return shown


def _amount_type(price: Json) -> str:
    """How ``unit_amount`` is meant: only a fixed or package amount of 0 is free."""
    if price.get("billing_scheme") == "tiered":
        return "tiered"
    if price.get("custom_unit_amount"):
        return "custom"
    return "package" if price.get("transform_quantity") else "fixed"


def project_coupon(coupon: Json, deleted: bool) -> Changes:
    """Either ``percent_off`` or ``amount_off`` is set."""
    return _row(
        "coupons",
        coupon,
        deleted,
        name=as_text(coupon.get("name")),
        percent_off=as_number(coupon.get("percent_off")),
        amount_off=as_number(coupon.get("amount_off")),
        currency=as_text(coupon.get("currency")),
        duration=as_text(coupon.get("duration")),
        duration_in_months=as_number(coupon.get("duration_in_months")),
        max_redemptions=as_number(coupon.get("max_redemptions")),
        times_redeemed=as_number(coupon.get("times_redeemed")),
        redeem_by=unix_to_column(coupon.get("redeem_by")),
        valid=bool(coupon.get("valid")) and not deleted,
    )


def project_promotion_code(code: Json, deleted: bool) -> Changes:
    """Return the coupon: under ``promotion`` since 2025-09-30.clover, before at the top."""
    coupon = as_dict(code.get("promotion")).get("coupon") or code.get("coupon")
    values = {
        "code": as_text(code.get("code")),
        "coupon": relation(coupon),
        "customer": relation(code.get("customer")),
        "active": bool(code.get("active")) and not deleted,
        "max_redemptions": as_number(code.get("max_redemptions")),
        "times_redeemed": as_number(code.get("times_redeemed")),
        "expires_at": unix_to_column(code.get("expires_at")),
        "metadata": as_dict(code.get("metadata")),
        "created": unix_to_column(code.get("created")),
    }
    return Changes(Row("promotion_codes", stripe_id(code), values, final=deleted))


def project_tax_rate(rate: Json, deleted: bool) -> Changes:
    """Tax rates are archived (not active), never deleted."""
    values = {
        "display_name": as_text(rate.get("display_name")),
        "percentage": as_number(rate.get("percentage")),
        "inclusive": bool(rate.get("inclusive")),
        "active": bool(rate.get("active")) and not deleted,
        "country": as_text(rate.get("country")),
        "jurisdiction": as_text(rate.get("jurisdiction")),
        "metadata": as_dict(rate.get("metadata")),
        "created": unix_to_column(rate.get("created")),
    }
    return Changes(Row("tax_rates", stripe_id(rate), values, final=deleted))


def _row(collection: str, item: Json, deleted: bool, **columns: object) -> Changes:
    values = {
        **columns,
        "metadata": as_dict(item.get("metadata")),
        "deleted": deleted,
        "created": unix_to_column(item.get("created")),
    }
    return Changes(Row(collection, stripe_id(item), values, final=deleted))
