"""The paid path, end to end: sign up, subscribe to realtime, pay, see the row arrive."""

from tests.deadline import eventually
from tests.frontend import Frontend, User
from tests.shop import CANCEL, Shop
from tests.stripe_account import StripeAccount

_PAID = ("subscriptions", "payments", "charges", "invoices", "refunds")


async def _assert_owns_nothing(frontend: Frontend, user: User) -> None:
    for collection in ("customers", "checkout_sessions", *_PAID):
        assert await frontend.list_records(collection, token=user.token) == []


async def test_a_subscription_reaches_its_buyer_live_and_nobody_else(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """The active subscription arrives as a realtime event at the buyer; another user sees none."""
    buyer, other = await frontend.sign_up(), await frontend.sign_up()
    async with (
        frontend.subscribe("subscriptions/*", token=buyer.token) as feed,
        frontend.subscribe("subscriptions/*", "customers/*", token=other.token) as foreign,
    ):
        await shop.pay(await shop.check_out(buyer, "pro_monthly"))
        change = await feed.next(lambda change: change.record["status"] == "active")
        await account.wait_delivered()
        assert foreign.seen == []

    assert change.record["user"] == buyer.id
    listed = await frontend.list_records("subscriptions", token=buyer.token)
    assert [row["id"] for row in listed] == [change.record["id"]]
    await _assert_owns_nothing(frontend, other)


async def test_a_bought_subscription_is_linked(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """Its buyer can expand a subscription to its customer, its price and the price's product."""
    buyer = await frontend.sign_up()
    session = await shop.check_out(buyer, "pro_monthly")
    await shop.pay(session)
    await account.wait_delivered()

    path = "/api/collections/subscriptions/records"
    expand = "customer,user,price.product"
    page = await frontend.call("GET", path, token=buyer.token, expand=expand)
    [row] = page["items"]
    assert row["expand"]["customer"]["user"] == buyer.id
    assert row["expand"]["user"]["id"] == buyer.id
    assert row["expand"]["price"]["lookup_key"] == "pro_monthly"
    assert row["expand"]["price"]["expand"]["product"]["name"] == "Pro"
    assert row["current_period_end"] > row["current_period_start"] > "2020"

    [bought] = await frontend.list_records("checkout_sessions", token=buyer.token)
    assert bought["stripe_id"] == session["id"]
    assert (bought["status"], bought["payment_status"]) == ("complete", "paid")
    assert bought["subscription"] == row["id"]
    [invoice] = await frontend.list_records("invoices", token=buyer.token)
    assert (invoice["status"], invoice["subscription"]) == ("paid", row["id"])


async def test_a_single_payment_becomes_rows(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A one-time price is paid once: a payment and its session, and no subscription."""
    buyer = await frontend.sign_up()
    async with frontend.subscribe("payments/*", token=buyer.token) as feed:
        session = await shop.check_out(buyer, "lifetime")
        await shop.pay(session)
        await feed.next(lambda change: change.record["status"] == "succeeded")
    await account.wait_delivered()

    [payment] = await frontend.list_records("payments", token=buyer.token)
    assert payment["user"] == buyer.id
    assert (payment["status"], payment["amount_received"]) == ("succeeded", 25_000)
    [bought] = await frontend.list_records("checkout_sessions", token=buyer.token)
    assert bought["stripe_id"] == session["id"]
    assert (bought["mode"], bought["payment_status"]) == ("payment", "paid")
    assert bought["payment"] == payment["id"]
    assert await frontend.list_records("subscriptions", token=buyer.token) == []


async def test_a_declined_card_pays_nothing(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A declined card leaves no paid row; the page says so, and the payment carries the reason."""
    buyer = await frontend.sign_up()
    session = await shop.check_out(buyer, "lifetime")
    answer = await shop.press(session["url"], outcome="decline")
    assert answer.status_code == 402
    assert "declined" in answer.text
    await account.wait_delivered()

    [payment] = await frontend.list_records("payments", token=buyer.token)
    assert payment["status"] == "requires_payment_method"
    assert "declined" in payment["last_error"]
    assert payment["amount_received"] == 0
    [charge] = await frontend.list_records("charges", token=buyer.token)
    assert (charge["status"], charge["paid"]) == ("failed", False)
    sessions = await frontend.list_records("checkout_sessions", token=buyer.token)
    assert all(row["payment_status"] != "paid" for row in sessions)


async def test_a_declined_subscription_never_becomes_active(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A card declined for a subscription leaves none that is active, and no paid invoice."""
    buyer = await frontend.sign_up()
    session = await shop.check_out(buyer, "pro_monthly")
    assert (await shop.press(session["url"], outcome="decline")).status_code == 402
    await account.wait_delivered()

    rows = await frontend.list_records("subscriptions", token=buyer.token)
    assert all(row["status"] not in ("active", "trialing") for row in rows)
    invoices = await frontend.list_records("invoices", token=buyer.token)
    assert all(row["status"] != "paid" for row in invoices)


async def test_a_card_may_be_declined_before_another_pays(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """After a decline the same session can be paid with another card."""
    buyer = await frontend.sign_up()
    session = await shop.check_out(buyer, "lifetime")
    assert (await shop.press(session["url"], outcome="decline")).status_code == 402
    await shop.pay(session)
    await account.wait_delivered()

    [payment] = await frontend.list_records("payments", token=buyer.token)
    assert (payment["status"], payment["last_error"]) == ("succeeded", "")


async def test_a_cancelled_checkout_leaves_nothing(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A buyer who leaves the hosted page has bought nothing and owns only a customer's row."""
    buyer = await frontend.sign_up()
    session = await shop.check_out(buyer, "pro_monthly")
    answer = await shop.press(session["url"], outcome="cancel")
    assert answer.headers["location"] == CANCEL
    await account.wait_delivered()

    for collection in ("checkout_sessions", *_PAID):
        assert await frontend.list_records(collection, token=buyer.token) == []


async def test_a_cancel_in_the_portal_shows_when_it_ends(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A subscription cancelled in the portal stays active and shows `cancel_at`; resumed, not."""
    buyer = await frontend.sign_up()
    await shop.pay(await shop.check_out(buyer, "pro_monthly"))
    await account.wait_delivered()
    [row] = await frontend.list_records("subscriptions", token=buyer.token)
    assert row["cancel_at"] == ""

    async with frontend.subscribe("subscriptions/*", token=buyer.token) as feed:
        portal = await shop.open_portal(buyer)
        await shop.press(portal, action="cancel", subscription=row["stripe_id"])
        change = await feed.next(lambda change: change.record["cancel_at"] != "")
        assert change.record["status"] == "active"
        assert change.record["cancel_at"] == change.record["current_period_end"]

        await shop.press(portal, action="resume", subscription=row["stripe_id"])
        await feed.next(lambda change: change.record["cancel_at"] == "")

        await shop.press(portal, action="cancel_now", subscription=row["stripe_id"])
        ended = await feed.next(lambda change: change.record["status"] == "canceled")
        assert ended.record["ended_at"] != ""


async def test_a_refund_belongs_to_the_buyer(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """A refund made in the dashboard becomes the buyer's row, and the charge says how much."""
    buyer, other = await frontend.sign_up(), await frontend.sign_up()
    await shop.pay(await shop.check_out(buyer, "lifetime"))
    await account.wait_delivered()
    [payment] = await frontend.list_records("payments", token=buyer.token)

    async with frontend.subscribe("refunds/*", token=buyer.token) as feed:
        await account.create("refunds", payment_intent=payment["stripe_id"], amount=10_000)
        await feed.next(lambda change: change.record["status"] == "succeeded")
    await account.wait_delivered()

    [refund] = await frontend.list_records("refunds", token=buyer.token)
    assert refund["user"] == buyer.id
    assert (refund["amount"], refund["payment"]) == (10_000, payment["id"])
    [charge] = await frontend.list_records("charges", token=buyer.token)
    assert refund["charge"] == charge["id"]
    assert (charge["amount_refunded"], charge["refunded"]) == (10_000, False)
    await _assert_owns_nothing(frontend, other)


async def test_the_catalogue_is_public(frontend: Frontend, account: StripeAccount) -> None:
    """Guests can list the products for sale with their prices."""
    await account.wait_delivered()

    async def list_prices() -> dict[str, str]:
        path = "/api/collections/prices/records"
        page = await frontend.call("GET", path, expand="product", filter="lookup_key != ''")
        return {row["lookup_key"]: row["expand"]["product"]["name"] for row in page["items"]}

    prices = await eventually(list_prices)
    assert prices == {"pro_monthly": "Pro", "pro_yearly": "Pro", "lifetime": "Lifetime"}
