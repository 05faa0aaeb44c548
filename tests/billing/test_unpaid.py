"""Subscriptions of which something is owed: how to pay, how to stop, how to begin again."""

from tests.billing.conftest import Subscribe
from tests.billing.subscriber import Subscriber
from tests.frontend import Frontend
from tests.problem import read_problem
from tests.shop import Shop, build_order
from tests.stripe_account import StripeAccount


async def _become_past_due(subscriber: Subscriber) -> str:
    """Let a renewal fail; returns the invoice."""
    await subscriber.account.control(f"subscriptions/{subscriber.id}/past_due")
    await subscriber.account.wait_delivered()
    return str((await subscriber.read())["latest_invoice"])


async def _make_incomplete(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> tuple[Subscriber, str]:
    """A user who has a subscription that waits for its first payment; and its invoice."""
    user = await frontend.sign_up()
    customer = await account.create("customers", **{"metadata[pocketbase_user]": user.id})
    price = (await account.list("prices", **{"lookup_keys[]": "pro_monthly"}))[0]["id"]
    params = {"items[0][price]": price, "payment_behavior": "default_incomplete"}
    made = await account.create("subscriptions", customer=customer["id"], **params)
    await account.wait_delivered()
    return Subscriber(user, made["id"], shop, account, frontend), made["latest_invoice"]


async def test_who_leaves_while_past_due_is_told_what_is_collected(subscribe: Subscribe) -> None:
    """An end with the period goes on collecting; an end now stops that, and both say so."""
    subscriber = await subscribe()
    invoice = await _become_past_due(subscriber)
    later = await subscriber.do("cancel")
    [owed] = later["open_invoices"]
    assert (owed["id"], owed["amount"], owed["is_collected"]) == (invoice, 1_000, True)
    assert owed["hosted_invoice_url"]
    now = await subscriber.do("cancel", when="now")
    [owed] = now["open_invoices"]
    assert (now["status"], owed["id"], owed["is_collected"]) == ("canceled", invoice, False)


async def test_who_owes_nothing_is_told_of_nothing(subscribe: Subscribe) -> None:
    """A paid subscription ends without open invoices."""
    subscriber = await subscribe()
    assert (await subscriber.do("cancel"))["open_invoices"] == []


async def test_what_must_be_paid_first_says_how(subscribe: Subscribe) -> None:
    """A change of what is past due is a 409 with the page of its invoice."""
    subscriber = await subscribe()
    invoice = await _become_past_due(subscriber)
    document = read_problem(await subscriber.ask("change", quantity=2), 409, "conflict")
    told = document["data"]["subscription"]
    assert (told["code"], told["invoice"]) == ("subscription_unpaid", invoice)
    assert told["hosted_invoice_url"]


async def test_an_incomplete_subscription_leads_to_its_invoice(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """Buying again, changing and resuming return its open invoice, which is paid once."""
    subscriber, invoice = await _make_incomplete(frontend, shop, account)
    order = build_order("pro_monthly")
    document = read_problem(await shop.post("/checkout", subscriber.user, order), 409)
    assert document["subscription"] == subscriber.id
    assert document["hosted_invoice_url"]
    assert document["data"]["subscription"]["code"] == "subscription_incomplete"
    for what, body in (("change", {"quantity": 2}), ("cancel", {})):
        told = read_problem(await subscriber.ask(what, **body), 409)["data"]["subscription"]
        assert (told["code"], told["invoice"]) == ("subscription_incomplete", invoice)
    paying = read_problem(await subscriber.ask("resume"), 402, "payment-required")
    assert paying["data"]["payment"]["invoice"] == invoice


async def test_an_incomplete_subscription_can_be_given_up(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """After an end now its invoice can't be paid any more, and the same user can buy again."""
    subscriber, invoice = await _make_incomplete(frontend, shop, account)
    assert (await subscriber.do("cancel", when="now"))["open_invoices"] == []
    assert (await account.read(f"invoices/{invoice}"))["status"] == "void"
    answer = await shop.post("/checkout", subscriber.user, build_order("pro_monthly"))
    assert answer.status_code == 200, answer.text


async def test_an_incomplete_subscription_that_is_over_bars_nothing(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """The state is read from Stripe, so that a late webhook delays no purchase."""
    subscriber, _ = await _make_incomplete(frontend, shop, account)
    async with account.holding_deliveries():
        await account.delete(f"subscriptions/{subscriber.id}")
        answer = await shop.post("/checkout", subscriber.user, build_order("pro_monthly"))
        assert answer.status_code == 200, answer.text


async def _send_invoices(frontend: Frontend, shop: Shop, account: StripeAccount) -> Subscriber:
    """A user whose subscription is active, and whose first invoice is sent."""
    user = await frontend.sign_up()
    customer = await account.create(
        "customers", email=user.email, **{"metadata[pocketbase_user]": user.id}
    )
    price = (await account.list("prices", **{"lookup_keys[]": "pro_monthly"}))[0]["id"]
    params = {"items[0][price]": price, "collection_method": "send_invoice", "days_until_due": 9}
    made = await account.create("subscriptions", customer=customer["id"], **params)
    await account.create(f"invoices/{made['latest_invoice']}/finalize")
    await account.wait_delivered()
    return Subscriber(user, made["id"], shop, account, frontend)


async def _read_balance(subscriber: Subscriber) -> int:
    customer = (await subscriber.read())["customer"]
    return int((await subscriber.account.read(f"customers/{customer}"))["balance"])


async def test_an_invoice_that_is_sent_becomes_no_credit(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """Going up without paying and down again is refused; what is paid can be changed."""
    subscriber = await _send_invoices(frontend, shop, account)
    for what in ("preview", "change"):
        answer = await subscriber.ask(what, quantity=100)
        told = read_problem(answer, 409, "conflict")["data"]["subscription"]
        assert told["code"] == "subscription_unpaid"
        assert told["hosted_invoice_url"]
    await subscriber.do("change", quantity=3, when="period_end")
    await subscriber.do("resume")
    invoice = (await subscriber.read())["latest_invoice"]
    await account.create(f"invoices/{invoice}/pay", paid_out_of_band=True)
    await subscriber.do("change", quantity=100)
    read_problem(await subscriber.ask("change", quantity=1), 409, "conflict")
    assert await _read_balance(subscriber) == 0


async def test_an_invoice_that_was_given_up_becomes_no_credit(subscribe: Subscribe) -> None:
    """The subscription is active again, but its period was never paid."""
    subscriber = await subscribe()
    await subscriber.do("change", quantity=100)
    invoice = await _become_past_due(subscriber)
    await subscriber.account.create(f"invoices/{invoice}/mark_uncollectible")
    await subscriber.account.wait_delivered()
    assert (await subscriber.read())["status"] == "active"
    document = read_problem(await subscriber.ask("change", quantity=1), 409, "conflict")
    assert document["data"]["subscription"]["code"] == "subscription_unpaid"
    assert await _read_balance(subscriber) == 0


async def test_a_sent_invoice_is_among_what_is_owed(
    frontend: Frontend, shop: Shop, account: StripeAccount
) -> None:
    """Canceling an active subscription returns its open invoice."""
    subscriber = await _send_invoices(frontend, shop, account)
    [owed] = (await subscriber.do("cancel"))["open_invoices"]
    assert owed["id"] == (await subscriber.read())["latest_invoice"]
