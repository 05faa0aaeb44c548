"""Subscriptions and previews with more entries than Stripe shows at once."""

from tests.billing.conftest import MakeFault, Subscribe
from tests.billing.subscriber import Subscriber
from tests.shop import Shop


async def _add_items(subscriber: Subscriber, number: int) -> str:
    """Add items at prices of their own; returns the last one's id."""
    account = subscriber.account
    [item] = (await subscriber.read())["items"]["data"]
    last = ""
    for place in range(number):
        price = await account.create(
            "prices",
            product=item["price"]["product"],
            currency=item["price"]["currency"],
            unit_amount=100 + place,
            **{"recurring[interval]": "month"},
        )
        added = await account.create(
            "subscription_items", subscription=subscriber.id, price=price["id"]
        )
        last = added["id"]
    await account.wait_delivered()
    return last


async def test_the_twelfth_item_can_be_changed(subscribe: Subscribe) -> None:
    """An item beyond the first ten is found, and its row shows the change at once."""
    subscriber = await subscribe()
    last = await _add_items(subscriber, 11)
    changed = await subscriber.do("change", item=last, quantity=3)
    shown = {item["id"]: item["quantity"] for item in changed["items"]}
    assert (len(shown), shown[last]) == (12, 3)
    row = await subscriber.read_row()
    assert {item["id"]: item["quantity"] for item in row["items"]} == shown


async def test_a_preview_has_all_lines(subscribe: Subscribe) -> None:
    """Pending invoice items are in the preview, and its lines add up to the total."""
    subscriber = await subscribe()
    stripe = await subscriber.read()
    for amount in range(1, 12):
        await subscriber.account.create(
            "invoiceitems",
            customer=stripe["customer"],
            amount=amount,
            currency=stripe["currency"],
        )
    preview = await subscriber.do("preview", quantity=5)
    assert len(preview["lines"]) > 10
    assert sum(line["amount"] for line in preview["lines"]) == preview["total"]


async def test_coming_back_from_a_long_purchase(subscribe: Subscribe, shop: Shop) -> None:
    """The result of a purchase stores all items of a long subscription."""
    subscriber = await subscribe()
    await _add_items(subscriber, 11)
    [session] = await subscriber.account.list("checkout/sessions", subscription=subscriber.id)
    last = await _last_item(subscriber)
    async with subscriber.account.holding_deliveries():
        await subscriber.account.create(f"subscription_items/{last}", quantity=4)
        answer = await shop.come_back(subscriber.user, session["id"])
        assert answer.status_code == 200, answer.text
        row = await subscriber.read_row()
        assert [item["quantity"] for item in row["items"]] == [1] * 11 + [4]


async def _last_item(subscriber: Subscriber) -> str:
    items = await subscriber.account.list("subscription_items", subscription=subscriber.id)
    return str(items[-1]["id"])


async def test_a_list_that_stripe_does_not_find(subscribe: Subscribe, faults: MakeFault) -> None:
    """An object without its nested list is stored, and marked as incomplete."""
    subscriber = await subscribe()
    await _add_items(subscriber, 11)
    await faults("/v1/subscription_items", method="GET", status=404, times=-1)
    await subscriber.account.create(f"subscriptions/{subscriber.id}", **{"metadata[a]": "1"})
    await subscriber.account.wait_delivered()
    row = await subscriber.read_row()
    assert (row["metadata"]["a"], len(row["items"]), row["has_more"]) == ("1", 10, True)
