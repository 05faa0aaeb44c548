"""Another plan or quantity: what was previewed is charged, once, and the row shows it at once."""

import asyncio

from tests.billing.conftest import Subscribe
from tests.problem import read_problem


async def test_what_was_previewed_is_charged(subscribe: Subscribe) -> None:
    """The change with the preview's date makes an invoice of the very amount that was shown."""
    subscriber = await subscribe()
    preview = await subscriber.do("preview", quantity=5)
    assert preview["due_now"] == preview["total"] > 0
    assert sum(line["amount"] for line in preview["lines"]) == preview["total"]
    changed = await subscriber.do("change", quantity=5, proration_date=preview["proration_date"])
    assert changed["items"][0]["quantity"] == 5
    invoice, first = await subscriber.list_invoices()
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", preview["due_now"])
    assert first["billing_reason"] == "subscription_create"


async def test_the_rows_show_a_change_before_its_webhook(subscribe: Subscribe) -> None:
    """When the answer comes, the user's page shows the new plan and the invoice that paid it."""
    subscriber = await subscribe()
    before = await subscriber.read_row()
    async with subscriber.account.holding_deliveries():
        changed = await subscriber.do("change", price="pro_yearly")
        row = await subscriber.read_row()
        assert row["price"] != before["price"]
        assert row["items"][0]["price"] == changed["items"][0]["price"]
        invoices = await subscriber.frontend.list_records(
            "invoices", token=subscriber.user.token, filter="billing_reason='subscription_update'"
        )
        assert [invoice["status"] for invoice in invoices] == ["paid"]
    await subscriber.account.wait_delivered()
    assert (await subscriber.read_row())["items"] == row["items"]


async def test_a_change_adds_no_second_subscription_of_a_group(subscribe: Subscribe) -> None:
    """Beside another subscription of the group, a price that allows one is not to be had."""
    first = await subscribe()
    account = first.account
    terms = {"metadata[checkout_subscriptions]": "many", "recurring[interval]": "month"}
    product = (await account.create("products", name="Any number"))["id"]
    price = {"product": product, "currency": "usd", "unit_amount": 300}
    many = (await account.create("prices", **price, **terms))["id"]
    await account.wait_delivered()
    session = await first.shop.check_out(first.user, many)
    await first.shop.press(session["url"], outcome="pay", card="4242")
    await account.wait_delivered()
    [row] = await first.frontend.list_records(
        "subscriptions", token=first.user.token, filter=f"stripe_id != '{first.id}'"
    )
    for what in ("preview", "change"):
        answer = await first.of(row["stripe_id"]).ask(what, price="pro_yearly")
        problem = read_problem(answer, 409, "conflict")
        assert problem["data"]["subscription"]["code"] == "already_subscribed"
    await first.do("change", price="pro_yearly")
    await first.do("cancel", when="now")
    await first.of(row["stripe_id"]).do("change", price="pro_monthly")


async def test_a_preview_changes_nothing(subscribe: Subscribe) -> None:
    """Neither the subscription nor its invoices differ after any number of previews."""
    subscriber = await subscribe()
    before = await subscriber.read(), await subscriber.list_invoices()
    for wanted in ({"price": "pro_yearly"}, {"quantity": 9}, {"quantity": 1}):
        await subscriber.do("preview", **wanted)
    assert (await subscriber.read(), await subscriber.list_invoices()) == before


async def test_two_clicks_are_charged_once(subscribe: Subscribe) -> None:
    """Ten changes to the same at once, and one later, make one invoice, with a key or without."""
    for key in ("", "click-1"):
        subscriber = await subscribe()
        await asyncio.gather(
            *(subscriber.do("change", price="pro_yearly", key=key) for _ in range(10))
        )
        await subscriber.do("change", price="pro_yearly", key=key)
        assert len(await subscriber.list_invoices()) == 2


async def test_a_click_during_a_change_is_no_error(subscribe: Subscribe) -> None:
    """A click that Stripe previews after the other one began a new period is answered as done."""
    subscriber = await subscribe()
    control = subscriber.account.control
    await control(
        "faults", method="POST", path="/v1/invoices/create_preview", delay_ms=3000, times=1
    )
    await control("faults", method="POST", path="/v1/subscriptions/", delay_ms=1200, times=1)
    clicks = [subscriber.do("change", price="pro_yearly") for _ in range(2)]
    assert {answer["items"][0]["quantity"] for answer in await asyncio.gather(*clicks)} == {1}
    assert len(await subscriber.list_invoices()) == 2


async def test_a_key_is_for_one_request(subscribe: Subscribe) -> None:
    """An Idempotency-Key that comes with another change is a 409, and changes nothing."""
    subscriber = await subscribe()
    await subscriber.do("change", quantity=2, key="a")
    answer = await subscriber.ask("change", quantity=3, key="a")
    read_problem(answer, 409, "idempotency-key-reused")
    assert (await subscriber.read_row())["quantity"] == 2
    await subscriber.do("change", quantity=3, key="b")


async def test_back_and_forth_within_a_minute(subscribe: Subscribe) -> None:
    """Changes that return to a plan of before are made each time, without a key."""
    subscriber = await subscribe()
    for quantity in (2, 1, 2, 1):
        changed = await subscriber.do("change", quantity=quantity)
        assert changed["items"][0]["quantity"] == quantity
        assert (await subscriber.read())["items"]["data"][0]["quantity"] == quantity
