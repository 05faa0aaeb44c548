"""Coupons and codes are redeemed on Stripe's terms, quantities and addresses taken as by Stripe."""

from typing import Any

import pytest
import stripe

from tests.simulator.served import Running


async def _price(running: Running, **fields: Any) -> str:
    product = await running.sdk.v1.products.create_async({"name": "Thing"})
    params: Any = {"product": product.id, "currency": "usd", "unit_amount": 1000, **fields}
    return (await running.sdk.v1.prices.create_async(params)).id


async def _subscribe(running: Running, price: str, discount: Any) -> stripe.Subscription:
    customer = await running.sdk.v1.customers.create_async({"email": "buyer@example.com"})
    params: Any = {
        "customer": customer.id,
        "items": [{"price": price}],
        "discounts": [discount],
        "collection_method": "send_invoice",
        "days_until_due": 5,
    }
    return await running.sdk.v1.subscriptions.create_async(params)


async def test_a_coupon_is_redeemed_as_often_as_it_says(running: Running) -> None:
    """The second redemption of a coupon for one is refused."""
    price = await _price(running, recurring={"interval": "month"})
    coupon = await running.sdk.v1.coupons.create_async({"percent_off": 10, "max_redemptions": 1})
    await _subscribe(running, price, {"coupon": coupon.id})
    with pytest.raises(stripe.InvalidRequestError, match="used up"):
        await _subscribe(running, price, {"coupon": coupon.id})


async def test_a_coupon_is_for_its_products_and_currency(running: Running) -> None:
    """A coupon of another product, or an amount in another currency, is refused."""
    price = await _price(running, recurring={"interval": "month"})
    other = await running.sdk.v1.products.create_async({"name": "Other"})
    coupons: list[Any] = [
        {"percent_off": 10, "applies_to": {"products": [other.id]}},
        {"amount_off": 100, "currency": "eur"},
    ]
    for params in coupons:
        coupon = await running.sdk.v1.coupons.create_async(params)
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await _subscribe(running, price, {"coupon": coupon.id})
        assert "coupon" in str(caught.value.param)


async def test_a_code_for_first_purchases_is_for_them(running: Running) -> None:
    """A customer who has an invoice already can't use it."""
    price = await _price(running, recurring={"interval": "month"})
    coupon = await running.sdk.v1.coupons.create_async({"percent_off": 10})
    code = await running.sdk.v1.promotion_codes.create_async(
        {
            "promotion": {"type": "coupon", "coupon": coupon.id},
            "restrictions": {"first_time_transaction": True},
        }
    )
    sub = await _subscribe(running, price, {"promotion_code": code.id})
    invoice = str(sub.latest_invoice)
    await running.sdk.v1.invoices.finalize_invoice_async(invoice)
    again: Any = {"discounts": [{"promotion_code": code.id}]}
    with pytest.raises(stripe.InvalidRequestError, match="prior transactions"):
        await running.sdk.v1.subscriptions.update_async(sub.id, again)


async def test_a_new_customer_has_no_empty_address(running: Running) -> None:
    """An empty or broken address is refused with its code; an update may unset it."""
    for email in ("", "nobody"):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            await running.sdk.v1.customers.create_async({"email": email})
        assert (caught.value.code, caught.value.param) == ("email_invalid", "email")
    made = await running.sdk.v1.customers.create_async({"email": "a@example.com"})
    changed = await running.sdk.v1.customers.update_async(made.id, {"email": ""})
    assert changed.email is None


async def test_usage_has_no_quantity(running: Running) -> None:
    """A metered price is sold without a quantity, and refuses one."""
    meter = await running.sdk.v1.billing.meters.create_async(
        {
            "display_name": "Calls",
            "event_name": "calls",
            "default_aggregation": {"formula": "sum"},
        }
    )
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter.id}
    price = await _price(running, recurring=recurring)
    params: Any = {
        "mode": "subscription",
        "success_url": "https://example.com/",
        "line_items": [{"price": price, "quantity": 1}],
    }
    with pytest.raises(stripe.InvalidRequestError, match="Quantity should not be specified"):
        await running.sdk.v1.checkout.sessions.create_async(params)
    del params["line_items"][0]["quantity"]
    session = await running.sdk.v1.checkout.sessions.create_async(params)
    items = await running.sdk.v1.checkout.sessions.line_items.list_async(session.id)
    assert [item.quantity for item in items.data] == [None]
