"""Reconciliation of what rows keep beside their columns, and of `stripe_objects`."""

import httpx

from tests.dashboard import Dashboard
from tests.operations.operator import Operator
from tests.operations.seller import Seller


async def test_a_lost_object_is_filled_in(
    shop_operator: Operator, seller: Seller, shop_dashboard: Dashboard
) -> None:
    """Rows of an earlier release, and spoilt ones, get the object; the next run finds nothing."""
    product = await seller.create("products", name="Old")
    other = await seller.create("products", name="Spoilt")
    await seller.wait_delivered()
    for item, value in ((product, None), (other, {"id": other["id"], "object": "product"})):
        row = await shop_dashboard.find("products", item["id"])
        assert row
        path = f"/api/collections/products/records/{row['id']}"
        await shop_dashboard.call("PATCH", path, {"stripe_object": value})

    done = await shop_operator.reconcile(only=("products",), events=False)

    assert done.found == {("changed", product["id"]), ("changed", other["id"])}
    assert {each.columns for each in done.differences} == {("stripe_object",)}
    for item in (product, other):
        row = await shop_dashboard.find("products", item["id"])
        assert row
        assert row["stripe_object"] == item
    assert not (await shop_operator.reconcile(only=("products",), events=False)).found


async def test_objects_that_no_event_showed_are_added(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """Payouts, quotes, invoice items and balance transactions come with one run."""
    customer, _ = await quiet_seller.sell_subscription(email="quoted@example.com")
    payout = await quiet_seller.create("payouts", amount=100, currency="usd")
    item = await quiet_seller.create(
        "invoiceitems", customer=customer["id"], amount=5, currency="usd"
    )
    [transaction, *_] = await quiet_seller.list("balance_transactions")

    done = await shop_operator.reconcile(only=("stripe_objects",), events=False)

    assert done.run.report.is_clean
    added = {("added", each["id"]) for each in (payout, item, transaction)}
    assert added <= done.found
    for each in (payout, item, transaction):
        row = await shop_dashboard.find("stripe_objects", each["id"])
        assert row
        assert row["stripe_object"] == each
        assert row["created"]
    assert not (await shop_operator.reconcile(only=("stripe_objects",), events=False)).found


async def test_stale_objects_are_brought_up_to_date(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """A change that no event told of is found by its object."""
    payout = await quiet_seller.create("payouts", amount=100, currency="usd")
    await shop_operator.reconcile(only=("stripe_objects",), events=False)
    await quiet_seller.control("POST", "clock/advance", {"seconds": 60})
    await quiet_seller.control("POST", f"payouts/{payout['id']}/finish", {"outcome": "paid"})

    done = await shop_operator.reconcile(only=("stripe_objects",), events=False)

    assert ("changed", payout["id"]) in done.found
    row = await shop_dashboard.find("stripe_objects", payout["id"])
    assert row
    assert row["stripe_object"]["status"] == "paid"


async def test_changes_of_more_than_30_days_ago_are_found(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """Stripe keeps events for 30 days; older objects are compared with their rows."""
    customer = await quiet_seller.create("customers", name="Before")
    await shop_operator.reconcile()
    await quiet_seller.create(f"customers/{customer['id']}", name="After")
    [event, *_] = await quiet_seller.list("events", type="customer.updated")
    await quiet_seller.control("POST", "clock/advance", {"seconds": 31 * 86_400})
    await shop_operator.reconcile(objects=False)
    row = await shop_dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "Before"
    assert await shop_dashboard.find("stripe_events", event["id"]) is None

    done = await shop_operator.reconcile(only=("customers",), events=False)

    assert ("changed", customer["id"]) in done.found
    row = await shop_dashboard.find("customers", customer["id"])
    assert row
    assert row["name"] == "After"


async def test_tax_ids_take_one_request_per_page_of_customers(
    shop_operator: Operator, quiet_seller: Seller, shop_dashboard: Dashboard
) -> None:
    """The list of customers shows them; the entitlements of an account without features none."""
    for _ in range(3):
        customer = await quiet_seller.create("customers", name="Taxed")
    tax_id = await quiet_seller.create(
        f"customers/{customer['id']}/tax_ids", type="eu_vat", value="DE1"
    )
    before = (await quiet_seller.control("GET", "state"))["requests"]["GET"]

    done = await shop_operator.reconcile(only=("tax_ids", "entitlement_summaries"), events=False)

    assert ("added", tax_id["id"]) in done.found
    assert await shop_dashboard.find("tax_ids", tax_id["id"])
    # Two for the features, active and archived.
    assert (await quiet_seller.control("GET", "state"))["requests"]["GET"] - before <= 3


async def test_a_product_that_the_account_lacks_is_no_failure(
    shop_operator: Operator, http: httpx.AsyncClient, seller: Seller
) -> None:
    """Issuing, Treasury and the like are skipped, and so is a list that a key may not read."""
    await seller.control("POST", "faults", {"path": "/v1/payouts", "status": 403, "times": 1})
    done = await shop_operator.reconcile(only=("stripe_objects",), events=False)
    assert done.run.report.is_clean
    assert {"stripe_objects payout", "stripe_objects issuing.card"} <= {*done.run.report.skipped}


async def test_line_items_come_with_a_reconciliation(
    shop_operator: Operator, seller: Seller, shop_dashboard: Dashboard
) -> None:
    """Stripe's events show none; what was read stays when the session changes otherwise."""
    product = await seller.create("products", name="Book")
    price = await seller.create("prices", product=product["id"], currency="eur", unit_amount=700)
    session = await seller.create(
        "checkout/sessions",
        mode="payment",
        success_url="https://shop.test",
        **{"line_items[0][price]": price["id"], "line_items[0][quantity]": 2},
    )
    await seller.control("POST", f"checkout/{session['id']}/complete", {})
    await seller.wait_delivered()

    await shop_operator.reconcile(only=("checkout_sessions",), events=False)

    row = await shop_dashboard.find("checkout_sessions", session["id"])
    assert row
    [item] = row["line_items"]
    assert (item["price"], item["quantity"], item["amount_total"]) == (price["id"], 2, 1400)
    assert row["amount_subtotal"] == 1400
    assert not (await shop_operator.reconcile(only=("checkout_sessions",), events=False)).found
