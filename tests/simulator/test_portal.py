"""The billing portal in a browser's forms."""

from typing import Any

from tests.simulator.served import Running
from tests.simulator.test_checkout import price, session


async def subscribed(running: Running) -> Any:
    """A customer with a subscription by Checkout."""
    made = await session(running, "pro_monthly", "subscription")
    await running.http.post(made.url, data={"outcome": "pay"})
    done = await running.sdk.v1.checkout.sessions.retrieve_async(made.id)
    return await running.sdk.v1.subscriptions.retrieve_async(done.subscription)


async def portal(running: Running, sub: Any, **more: Any) -> Any:
    """A portal session of the subscription's customer."""
    params: Any = {"customer": sub.customer, "return_url": "https://shop.test/account", **more}
    return await running.sdk.v1.billing_portal.sessions.create_async(params)


async def press(running: Running, page: Any, **fields: str) -> Any:
    """Press a button of the page."""
    return await running.http.post(page.url, data=fields)


async def test_the_page_lists_subscriptions_and_invoices(running: Running) -> None:
    """The customer sees the plan, the invoices and the way back."""
    sub = await subscribed(running)
    page = await portal(running, sub)
    text = (await running.http.get(page.url)).text
    assert "Pro" in text
    assert "10.00 USD" in text
    assert "https://shop.test/account" in text


async def test_a_flexible_subscription_ends_by_cancel_at_alone(running: Running) -> None:
    """Cancelling in the portal sets cancel_at and leaves cancel_at_period_end false."""
    sub = await subscribed(running)
    page = await portal(running, sub)
    answer = await press(running, page, action="cancel", subscription=sub.id)
    assert answer.status_code == 303
    found = await running.sdk.v1.subscriptions.retrieve_async(sub.id)
    assert found.cancel_at == found["items"].data[0].current_period_end
    assert found.cancel_at_period_end is False
    await press(running, page, action="resume", subscription=sub.id)
    found = await running.sdk.v1.subscriptions.retrieve_async(sub.id)
    assert found.cancel_at is None


async def test_the_classic_way_sets_the_flag(running: Running) -> None:
    """Accounts of classic billing see cancel_at_period_end."""
    sub = await subscribed(running)
    page = await portal(running, sub)
    await press(running, page, action="cancel_with_flag", subscription=sub.id)
    found = await running.sdk.v1.subscriptions.retrieve_async(sub.id)
    assert found.cancel_at_period_end is True


async def test_a_customer_changes_plan_and_card(running: Running) -> None:
    """Another price is billed at once; a new card serves every subscription."""
    sub = await subscribed(running)
    page = await portal(running, sub)
    yearly = await price(running, "pro_yearly")
    await press(running, page, action="change_plan", subscription=sub.id, price=yearly)
    await press(running, page, action="payment_method", card="4444")
    found = await running.sdk.v1.subscriptions.retrieve_async(
        sub.id, {"expand": ["default_payment_method"]}
    )
    assert found["items"].data[0].price.id == yearly
    assert found.default_payment_method.card.last4 == "4444"


async def test_a_deep_link_leads_to_one_flow_and_back(running: Running) -> None:
    """flow_data opens one subscription's page; its end redirects as asked."""
    sub = await subscribed(running)
    page = await portal(
        running,
        sub,
        flow_data={
            "type": "subscription_cancel",
            "subscription_cancel": {"subscription": sub.id},
            "after_completion": {
                "type": "redirect",
                "redirect": {"return_url": "https://shop.test/bye"},
            },
        },
    )
    assert "Invoices" not in (await running.http.get(page.url)).text
    answer = await press(running, page, action="cancel_now", subscription=sub.id)
    assert answer.headers["location"] == "https://shop.test/bye"
    found = await running.sdk.v1.subscriptions.retrieve_async(sub.id)
    assert found.status == "canceled"


async def test_nobody_touches_another_customers_subscription(running: Running) -> None:
    """A form with a strange subscription is refused on the page."""
    mine, other = await subscribed(running), await subscribed(running)
    page = await portal(running, mine)
    answer = await press(running, page, action="cancel_now", subscription=other.id)
    assert answer.status_code == 400
    assert "No such subscription" in answer.text


async def test_the_first_page_lists_what_is_here(running: Running) -> None:
    """Sessions, newest events and the addresses are on the first page."""
    made = await session(running, "lifetime", "payment")
    text = (await running.http.get("/")).text
    assert made.url in text
    assert "product.created" in text


async def test_pages_escape_what_sellers_and_customers_write(running: Running) -> None:
    """A product's name is shown, not run."""
    product = await running.sdk.v1.products.create_async({"name": "<script>alert(1)</script>"})
    data = {"currency": "usd", "product": product.id, "unit_amount": 100}
    made = await running.sdk.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "line_items": [{"price_data": data, "quantity": 1}],
            "success_url": "https://shop.test/done",
        }
    )
    text = (await running.http.get(made.url or "")).text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


async def test_the_first_page_shows_how_to_call_the_api(running: Running) -> None:
    """The place of a local key, and of a request with the simulator's own address."""
    text = (await running.http.get("/")).text
    assert "SIMULATOR_SECRET_KEY" in text
    assert ".local/secrets.env" in text
    assert f"{running.simulator.world.settings.public_url}/v1/prices" in text
