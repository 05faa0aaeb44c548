"""What is for sale: products, prices, coupons, promotion codes, tax rates."""

from gateway.dates import unix_to_column
from gateway.shapes import listing, mapping, number, relation, stripe_id, text
from gateway.writes import Changes, Json, Row


def project_product(product: Json, deleted: bool) -> Changes:
    """A deleted product stays as a row that is not active, so that nothing brings it back."""
    return _row(
        "products",
        product,
        deleted,
        name=text(product.get("name")),
        description=text(product.get("description")),
        active=bool(product.get("active")) and not deleted,
        default_price=relation(product.get("default_price")),
        images=product.get("images") or [],
        marketing_features=product.get("marketing_features") or product.get("features") or [],
        unit_label=text(product.get("unit_label")),
    )


def project_price(price: Json, deleted: bool) -> Changes:
    """The interval columns are empty for a one-time price, and so is an amount that is not fixed.

    Stripe shows tiers and other currencies only when asked: without them the columns stay.
    """
    recurring = mapping(price.get("recurring"))
    # Parts of a cent stand only in the decimal.
    amount = price.get("unit_amount")
    amount = price.get("unit_amount_decimal") if amount is None else amount
    return _row(
        "prices",
        price,
        deleted,
        product=relation(price.get("product")),
        active=bool(price.get("active")) and not deleted,
        type=text(price.get("type")),
        currency=text(price.get("currency")),
        unit_amount=number(amount),
        unit_amount_decimal=text(price.get("unit_amount_decimal")),
        amount_type=_amount_type(price),
        custom_unit_amount=price.get("custom_unit_amount"),
        transform_quantity=price.get("transform_quantity"),
        tiers_mode=text(price.get("tiers_mode")),
        **_shown_when_asked(price),
        billing_scheme=text(price.get("billing_scheme")),
        interval=text(recurring.get("interval")),
        interval_count=number(recurring.get("interval_count")),
        usage_type=text(recurring.get("usage_type")),
        meter=text(recurring.get("meter")),
        trial_period_days=number(recurring.get("trial_period_days")),
        lookup_key=text(price.get("lookup_key")),
        nickname=text(price.get("nickname")),
        tax_behavior=text(price.get("tax_behavior")),
    )


def _shown_when_asked(price: Json) -> Json:
    """Tiers, and the amounts in other currencies than the price's own; null if there are none."""
    shown: Json = {}
    if "tiers" in price:
        shown["tiers"] = listing(price["tiers"]) or None
    if "currency_options" in price:
        options = mapping(price["currency_options"])
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
        name=text(coupon.get("name")),
        percent_off=number(coupon.get("percent_off")),
        amount_off=number(coupon.get("amount_off")),
        currency=text(coupon.get("currency")),
        duration=text(coupon.get("duration")),
        duration_in_months=number(coupon.get("duration_in_months")),
        max_redemptions=number(coupon.get("max_redemptions")),
        times_redeemed=number(coupon.get("times_redeemed")),
        redeem_by=unix_to_column(coupon.get("redeem_by")),
        valid=bool(coupon.get("valid")) and not deleted,
    )


def project_promotion_code(code: Json, deleted: bool) -> Changes:
    """The coupon stands under ``promotion`` since 2025-09-30.clover, at the top before."""
    coupon = mapping(code.get("promotion")).get("coupon") or code.get("coupon")
    values = {
        "code": text(code.get("code")),
        "coupon": relation(coupon),
        "customer": relation(code.get("customer")),
        "active": bool(code.get("active")) and not deleted,
        "max_redemptions": number(code.get("max_redemptions")),
        "times_redeemed": number(code.get("times_redeemed")),
        "expires_at": unix_to_column(code.get("expires_at")),
        "metadata": mapping(code.get("metadata")),
        "created": unix_to_column(code.get("created")),
    }
    return Changes(Row("promotion_codes", stripe_id(code), values, final=deleted))


def project_tax_rate(rate: Json, deleted: bool) -> Changes:
    """Tax rates are archived (not active), never deleted."""
    values = {
        "display_name": text(rate.get("display_name")),
        "percentage": number(rate.get("percentage")),
        "inclusive": bool(rate.get("inclusive")),
        "active": bool(rate.get("active")) and not deleted,
        "country": text(rate.get("country")),
        "jurisdiction": text(rate.get("jurisdiction")),
        "metadata": mapping(rate.get("metadata")),
        "created": unix_to_column(rate.get("created")),
    }
    return Changes(Row("tax_rates", stripe_id(rate), values, final=deleted))


def _row(collection: str, item: Json, deleted: bool, **columns: object) -> Changes:
    values = {
        **columns,
        "metadata": mapping(item.get("metadata")),
        "deleted": deleted,
        "created": unix_to_column(item.get("created")),
    }
    return Changes(Row(collection, stripe_id(item), values, final=deleted))
