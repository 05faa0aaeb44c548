"""Quotes, drafts and schedules of the simulator: what they do later on their own."""

from tests.simulator.served import Running

_DAY = 86_400


async def test_an_accepted_quote_begins_a_subscription(running: Running) -> None:
    """Draft, open, accepted; one that is canceled can't be accepted."""
    prices = (await running.sdk.v1.prices.list_async({"lookup_keys": ["pro_monthly"]})).data
    customer = await running.sdk.v1.customers.create_async({"email": "a@example.com"})
    line = {"price": prices[0].id}
    for begins in (0, running.simulator.world.now + _DAY):
        quote = await running.sdk.v1.quotes.create_async(
            {
                "customer": customer.id,
                "line_items": [line],
                "collection_method": "send_invoice",
                **({"subscription_data": {"effective_date": begins}} if begins else {}),
            }
        )
        assert quote.status == "draft"
        assert (await running.sdk.v1.quotes.finalize_quote_async(quote.id)).status == "open"
        accepted = await running.sdk.v1.quotes.accept_async(quote.id)
        assert accepted.status == "accepted"
        assert bool(accepted.subscription_schedule) is bool(begins)
        assert bool(accepted.subscription) is not bool(begins)
    refused = await running.http.post(
        f"/v1/quotes/{quote.id}/cancel", headers={"Authorization": "Bearer sk_test_123456789012"}
    )
    assert refused.status_code == 400


async def test_a_draft_advances_by_itself(running: Running) -> None:
    """After an hour, unless `auto_advance` is taken back."""
    customer = await running.sdk.v1.customers.create_async({"email": "a@example.com"})
    drafts = [
        await running.sdk.v1.invoices.create_async({"customer": customer.id, "auto_advance": True})
        for _ in range(2)
    ]
    assert drafts[0].automatically_finalizes_at
    stopped = await running.sdk.v1.invoices.update_async(drafts[0].id, {"auto_advance": False})
    assert stopped.automatically_finalizes_at is None
    await running.control("clock/advance", seconds=2 * _DAY)
    statuses = [(await running.sdk.v1.invoices.retrieve_async(draft.id)).status for draft in drafts]
    assert statuses == ["draft", "paid"]


async def test_what_has_ended_is_not_billed(running: Running) -> None:
    """Nor by the control API."""
    prices = (await running.sdk.v1.prices.list_async({"lookup_keys": ["pro_monthly"]})).data
    customer = await running.sdk.v1.customers.create_async({"email": "a@example.com"})
    sub = await running.sdk.v1.subscriptions.create_async(
        {
            "customer": customer.id,
            "items": [{"price": prices[0].id}],
            "collection_method": "send_invoice",
            "days_until_due": 5,
        }
    )
    await running.sdk.v1.subscriptions.cancel_async(sub.id)
    await running.control(f"subscriptions/{sub.id}/renew")
    invoices = await running.sdk.v1.invoices.list_async({"customer": customer.id})
    assert len(invoices.data) == 1
