"""Subscriptions through their lives: renewal, dunning, trials, plans, pauses, ends."""

from typing import Any

import pytest

from stripe_simulator.errors import StripeError
from stripe_simulator.http.actions import ACTIONS
from stripe_simulator.http.api import Api
from stripe_simulator.settings import DAY, Settings
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


class Shop:
    """A world with a monthly and a yearly price and a customer, driven in this process."""

    def __init__(
        self,
        settings: Settings | None = None,
        card: str | None = "visa",
        world: World | None = None,
    ) -> None:
        self.world = world or World(seed=1, settings=settings)
        self.api = Api(self.world)
        product = self.post("products", name="Pro")["id"]
        self.monthly = self.price(product, 1_000, "month")
        self.yearly = self.price(product, 10_000, "year")
        self.customer = self.post("customers", email="a@shop.test")["id"]
        if card:
            self.use_card(card)

    def post(self, path: str, **params: Any) -> JSON:
        """POST to the API with typed parameters."""
        return self.api.call("POST", f"/v1/{path}", params)

    def price(self, product: str, amount: int, interval: str) -> str:
        """A recurring price."""
        recurring = {"interval": interval}
        made = self.post(
            "prices", product=product, currency="usd", unit_amount=amount, recurring=recurring
        )
        return str(made["id"])

    def use_card(self, card: str) -> None:
        """Make a test card the customer's default."""
        path = f"payment_methods/pm_card_{card}/attach"
        method = self.post(path, customer=self.customer)["id"]
        self.post(f"customers/{self.customer}", invoice_settings={"default_payment_method": method})

    def subscribe(self, **params: Any) -> JSON:
        """A monthly subscription of the customer."""
        items = [{"price": self.monthly}]
        return self.post("subscriptions", **({"customer": self.customer, "items": items} | params))

    def since(self, begin: int) -> list[str]:
        """The types of the events from a position on."""
        return [event["type"] for event in self.world.events[begin:]]

    def mark(self) -> int:
        """The present end of the history."""
        return len(self.world.events)


def test_a_subscription_by_api_is_incomplete_before_it_is_active() -> None:
    """created says incomplete, updated says active and what it was, in the same second."""
    shop = Shop()
    begin = shop.mark()
    sub = shop.subscribe()
    assert sub["status"] == "active"
    events = [e for e in shop.world.events[begin:] if e["data"]["object"]["id"] == sub["id"]]
    assert [e["data"]["object"]["status"] for e in events] == ["incomplete", "active"]
    assert events[1]["data"]["previous_attributes"] == {"status": "incomplete"}
    assert events[0]["created"] == events[1]["created"]


def test_a_renewal_moves_the_period_and_is_paid_an_hour_later() -> None:
    """At the period's end comes a draft; an hour later it is final and paid."""
    shop = Shop()
    sub = shop.subscribe()
    end = sub["items"]["data"][0]["current_period_end"]
    shop.world.clock.advance_to(end - 1)
    assert shop.since(0)[-1] == "invoice.upcoming"
    assert "id" not in shop.world.events[-1]["data"]["object"]
    begin = shop.mark()
    shop.world.clock.advance(1)
    assert shop.since(begin) == ["invoice.created", "customer.subscription.updated"]
    previous = shop.world.events[-1]["data"]["previous_attributes"]
    assert previous["items"]["data"][0]["current_period_end"] == end
    assert "latest_invoice" in previous
    shop.world.clock.advance(3_600)
    assert {"invoice.finalized", "invoice.paid", "charge.succeeded"} <= set(shop.since(begin))
    assert sub["items"]["data"][0]["current_period_start"] == end


@pytest.mark.parametrize(
    ("after", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")]
)
def test_an_unpaid_renewal_is_tried_again_and_given_up(after: str, status: str) -> None:
    """past_due at the first failure; after the last retry the account's choice holds."""
    shop = Shop(Settings(after_retries=after))
    sub = shop.subscribe()
    shop.use_card("chargeCustomerFail")
    shop.world.clock.advance_to(sub["items"]["data"][0]["current_period_end"] + 3_600)
    assert sub["status"] == "past_due"
    invoice = shop.world.get("invoice", sub["latest_invoice"])
    assert invoice["next_payment_attempt"] == shop.world.now + 3 * DAY
    shop.world.clock.advance(16 * DAY)
    assert sub["status"] == status
    assert invoice["attempt_count"] == 4
    if after == "cancel":
        assert sub["cancellation_details"]["reason"] == "payment_failed"


def test_a_better_card_makes_a_past_due_subscription_active() -> None:
    """The next retry takes the new card."""
    shop = Shop()
    sub = shop.subscribe()
    ACTIONS["subscriptions/{id}/past_due"](shop.world, sub["id"], {})
    assert sub["status"] == "past_due"
    shop.post(f"subscriptions/{sub['id']}", default_payment_method="")
    shop.world.clock.advance(3 * DAY)
    assert sub["status"] == "active"


def test_a_trial_ends_with_a_reminder_and_a_charge() -> None:
    """Three days before the end comes trial_will_end, at the end the first paid period."""
    shop = Shop()
    sub = shop.subscribe(trial_period_days=10)
    assert sub["status"] == "trialing"
    shop.world.clock.advance(7 * DAY)
    assert shop.since(0)[-1] == "customer.subscription.trial_will_end"
    shop.world.clock.advance(3 * DAY + 3_600)
    assert sub["status"] == "active"
    assert shop.world.get("invoice", sub["latest_invoice"])["amount_paid"] == 1_000


@pytest.mark.parametrize(("behavior", "status"), [("pause", "paused"), ("cancel", "canceled")])
def test_a_trial_without_a_card_ends_as_chosen(behavior: str, status: str) -> None:
    """missing_payment_method pauses or cancels."""
    shop = Shop(card=None)
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    sub = shop.subscribe(trial_period_days=5, trial_settings=settings)
    shop.world.clock.advance(6 * DAY)
    assert sub["status"] == status


def test_a_paused_subscription_resumes_with_a_new_period() -> None:
    """resume begins a period now, bills it and says so in an event of its own."""
    shop = Shop(card=None)
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    sub = shop.subscribe(trial_period_days=5, trial_settings=settings)
    shop.world.clock.advance(6 * DAY)
    shop.use_card("visa")
    begin = shop.mark()
    shop.post(f"subscriptions/{sub['id']}/resume")
    assert sub["status"] == "active"
    assert sub["items"]["data"][0]["current_period_start"] == shop.world.now
    assert {"customer.subscription.resumed", "invoice.paid"} <= set(shop.since(begin))


def test_an_unpaid_first_invoice_expires() -> None:
    """23 hours later the subscription is incomplete_expired and its invoice void."""
    shop = Shop()
    sub = shop.subscribe(payment_behavior="default_incomplete")
    assert sub["status"] == "incomplete"
    shop.world.clock.advance(23 * 3_600)
    assert sub["status"] == "incomplete_expired"
    assert shop.world.get("invoice", sub["latest_invoice"])["status"] == "void"


def test_paying_the_first_invoice_activates() -> None:
    """A default_incomplete subscription becomes active when its payment intent succeeds."""
    shop = Shop()
    sub = shop.subscribe(payment_behavior="default_incomplete")
    payments = shop.api.call(
        "GET", f"/v1/invoices/{sub['latest_invoice']}", {"expand": ["payments"]}
    )["payments"]
    intent = payments["data"][0]["payment"]["payment_intent"]
    shop.post(f"payment_intents/{intent}/confirm", payment_method="pm_card_visa")
    assert sub["status"] == "active"


def test_authentication_can_pass_or_fail() -> None:
    """A card that asks leaves the subscription incomplete until the bank is answered."""
    shop = Shop(card="authenticationRequired")
    sub = shop.subscribe()
    assert sub["status"] == "incomplete"
    assert "invoice.payment_action_required" in shop.since(0)
    (intent,) = shop.world.all("payment_intent")
    act = ACTIONS["payment_intents/{id}/authenticate"]
    act(shop.world, intent, {"outcome": "failed"})
    assert sub["status"] == "incomplete"
    shop.post(f"payment_intents/{intent}/confirm", payment_method="pm_card_visa")
    assert sub["status"] == "active"


def test_a_larger_quantity_waits_for_the_next_invoice() -> None:
    """create_prorations makes a credit and a debit that the renewal bills."""
    shop = Shop()
    sub = shop.subscribe()
    item = sub["items"]["data"][0]["id"]
    shop.world.clock.advance(10 * DAY)
    begin = shop.mark()
    shop.post(f"subscriptions/{sub['id']}", items=[{"id": item, "quantity": 3}])
    created, _, updated = shop.world.events[begin:]
    assert created["data"]["object"]["amount"] < 0
    assert updated["data"]["previous_attributes"]["items"]["data"][0]["quantity"] == 1
    shop.world.clock.advance(31 * DAY)
    invoice = shop.world.get("invoice", sub["latest_invoice"])
    assert len(invoice["lines"]["data"]) == 3
    assert invoice["total"] > 3_000


def test_another_interval_begins_a_period_at_once() -> None:
    """From monthly to yearly: invoiced now, less what is left of the month."""
    shop = Shop()
    sub = shop.subscribe()
    item = sub["items"]["data"][0]["id"]
    shop.world.clock.advance(15 * DAY)
    shop.post(f"subscriptions/{sub['id']}", items=[{"id": item, "price": shop.yearly}])
    invoice = shop.world.get("invoice", sub["latest_invoice"])
    assert (invoice["billing_reason"], invoice["status"]) == ("subscription_update", "paid")
    assert 9_400 < invoice["total"] < 9_600
    assert sub["items"]["data"][0]["current_period_start"] == shop.world.now


def test_a_paused_subscription_begins_again_when_it_is_paid() -> None:
    """Until its resumption invoice is paid it stays paused; then a new period begins."""
    shop = Shop(card=None)
    behavior = {"end_behavior": {"missing_payment_method": "pause"}}
    sub = shop.subscribe(trial_period_days=7, trial_settings=behavior)
    shop.world.clock.advance(8 * DAY)
    assert sub["status"] == "paused"
    shop.post(f"subscriptions/{sub['id']}/resume")
    assert sub["status"] == "paused"
    resumed_at = shop.world.now
    shop.world.clock.advance(60)
    shop.post(f"invoices/{sub['latest_invoice']}/pay", payment_method="pm_card_visa")
    assert sub["status"] == "active"
    assert sub["items"]["data"][0]["current_period_start"] == resumed_at
    assert "customer.subscription.resumed" in shop.since(0)


def _preview(shop: Shop, sub: JSON, **details: Any) -> JSON:
    items = [{"id": sub["items"]["data"][0]["id"], **details.pop("item")}]
    return shop.post(
        "invoices/create_preview",
        subscription=sub["id"],
        subscription_details={"items": items, **details},
    )


def test_a_preview_shows_the_invoice_that_the_change_makes() -> None:
    """With always_invoice and the preview's date, the change is billed what was previewed."""
    shop = Shop()
    sub = shop.subscribe()
    shop.world.clock.advance(10 * DAY)
    how = {"proration_behavior": "always_invoice", "proration_date": shop.world.now}
    preview = _preview(shop, sub, item={"quantity": 4}, **how)
    shop.world.clock.advance(600)
    change = [{"id": sub["items"]["data"][0]["id"], "quantity": 4}]
    shop.post(f"subscriptions/{sub['id']}", items=change, **how)
    invoice = shop.world.get("invoice", sub["latest_invoice"])
    assert invoice["total"] == preview["total"] > 0
    assert len(preview["lines"]["data"]) == 2


def test_a_preview_without_an_invoice_shows_the_next_one() -> None:
    """create_prorations puts the difference on the renewal."""
    shop = Shop()
    sub = shop.subscribe()
    shop.world.clock.advance(10 * DAY)
    preview = _preview(shop, sub, item={"quantity": 2}, proration_behavior="create_prorations")
    assert len(preview["lines"]["data"]) == 3
    assert preview["total"] > 2_000


@pytest.mark.parametrize("days", [-1, 32])
def test_prorations_are_reckoned_within_the_period(days: int) -> None:
    """A proration_date outside of the current period is refused."""
    shop = Shop()
    sub = shop.subscribe()
    date = shop.world.now + days * DAY
    with pytest.raises(StripeError):
        _preview(shop, sub, item={"quantity": 2}, proration_date=date)


def test_what_costs_nothing_does_not_wait() -> None:
    """pending_if_incomplete lets a smaller quantity through, whatever the card is worth."""
    shop = Shop()
    sub = shop.subscribe(items=[{"price": shop.monthly, "quantity": 5}])
    shop.use_card("chargeCustomerFail")
    shop.world.clock.advance(DAY)
    change = [{"id": sub["items"]["data"][0]["id"], "quantity": 1}]
    behavior = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
    shop.post(f"subscriptions/{sub['id']}", items=change, **behavior)
    assert (sub["pending_update"], sub["items"]["data"][0]["quantity"]) == (None, 1)


def test_a_pending_update_gives_way_to_the_next() -> None:
    """Another change that has to wait voids the invoice of the first."""
    shop = Shop()
    sub = shop.subscribe()
    shop.use_card("chargeCustomerFail")
    shop.world.clock.advance(DAY)
    behavior = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
    invoices = []
    for quantity in (2, 3):
        change = [{"id": sub["items"]["data"][0]["id"], "quantity": quantity}]
        shop.post(f"subscriptions/{sub['id']}", items=change, **behavior)
        invoices.append(shop.world.get("invoice", sub["latest_invoice"]))
    assert [invoice["status"] for invoice in invoices] == ["void", "open"]
    assert sub["pending_update"]["subscription_items"][0]["quantity"] == 3


def test_an_update_can_wait_for_its_payment() -> None:
    """pending_if_incomplete keeps the old items until the invoice is paid."""
    shop = Shop()
    sub = shop.subscribe()
    shop.use_card("chargeCustomerFail")
    change = [{"id": sub["items"]["data"][0]["id"], "quantity": 5}]
    shop.world.clock.advance(DAY)
    shop.post(
        f"subscriptions/{sub['id']}",
        items=change,
        payment_behavior="pending_if_incomplete",
        proration_behavior="always_invoice",
    )
    assert sub["items"]["data"][0]["quantity"] == 1
    assert sub["pending_update"]["subscription_items"][0]["quantity"] == 5
    shop.post(f"invoices/{sub['latest_invoice']}/pay", payment_method="pm_card_visa")
    assert sub["items"]["data"][0]["quantity"] == 5
    assert sub["pending_update"] is None
    assert "customer.subscription.pending_update_applied" in shop.since(0)


def test_a_pending_update_expires() -> None:
    """Without a payment within 23 hours, the update is dropped and its invoice voided."""
    shop = Shop()
    sub = shop.subscribe()
    shop.use_card("chargeCustomerFail")
    change = [{"id": sub["items"]["data"][0]["id"], "quantity": 5}]
    shop.world.clock.advance(DAY)
    behavior = {"payment_behavior": "pending_if_incomplete", "proration_behavior": "always_invoice"}
    shop.post(f"subscriptions/{sub['id']}", items=change, **behavior)
    shop.world.clock.advance(23 * 3_600)
    assert sub["pending_update"] is None
    assert "customer.subscription.pending_update_expired" in shop.since(0)
    assert shop.world.get("invoice", sub["latest_invoice"])["status"] == "void"


@pytest.mark.parametrize(
    "params", [{"cancel_at_period_end": True}, {"cancel_at": "min_period_end"}]
)
def test_a_planned_end_comes(params: dict[str, Any]) -> None:
    """At the period's end the subscription is deleted and not billed again."""
    shop = Shop()
    sub = shop.subscribe()
    shop.post(f"subscriptions/{sub['id']}", **params)
    assert sub["cancel_at"] == sub["items"]["data"][0]["current_period_end"]
    shop.world.clock.advance(32 * DAY)
    assert sub["status"] == "canceled"
    assert shop.since(0)[-1] == "customer.subscription.deleted"
    assert len(shop.world.all("invoice")) == 1


def test_collection_can_be_paused() -> None:
    """With pause_collection the renewal's invoice is voided."""
    shop = Shop()
    sub = shop.subscribe()
    shop.post(f"subscriptions/{sub['id']}", pause_collection={"behavior": "void"})
    shop.world.clock.advance(31 * DAY)
    assert shop.world.get("invoice", sub["latest_invoice"])["status"] == "void"


def test_a_deleted_customers_subscriptions_end() -> None:
    """Deleting a customer deletes the live subscriptions first."""
    shop = Shop()
    shop.subscribe()
    begin = shop.mark()
    shop.api.call("DELETE", f"/v1/customers/{shop.customer}")
    assert shop.since(begin) == ["customer.subscription.deleted", "customer.deleted"]


def test_without_a_card_there_is_no_subscription() -> None:
    """Stripe refuses a subscription without a payment method."""
    with pytest.raises(StripeError) as raised:
        Shop(card=None).subscribe()
    assert raised.value.error["code"] == "resource_missing"


@pytest.mark.parametrize("early", [0, 2])
def test_a_schedule_moves_a_subscription_to_its_next_phase(early: int) -> None:
    """At the end of a phase the next price takes over; after the last one it is released.

    Renewals that a test has brought forward make no difference.
    """
    shop = Shop()
    sub = shop.subscribe()
    schedule = shop.post("subscription_schedules", from_subscription=sub["id"])
    first = schedule["phases"][0]
    items = [{"price": shop.monthly, "quantity": 1}]
    phases = [
        {"items": items, "start_date": first["start_date"], "end_date": first["end_date"]},
        {"items": [{"price": shop.yearly}], "iterations": 1},
    ]
    shop.post(f"subscription_schedules/{schedule['id']}", phases=phases)
    for _ in range(early):
        ACTIONS["subscriptions/{id}/renew"](shop.world, sub["id"], {})
    shop.world.clock.advance_to(first["end_date"] + 1)
    assert sub["items"]["data"][0]["price"]["id"] == shop.yearly
    shop.world.clock.advance(366 * DAY)
    assert schedule["status"] == "released"
    assert sub["schedule"] is None


@pytest.mark.parametrize("interval", ["month", "year"])
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_phase_that_begins_with_a_period_is_billed_at_its_price(
    interval: str, by_hand: bool
) -> None:
    """The renewal bills the new price alone: no proration, nothing of the old price."""
    shop = Shop()
    sub = shop.subscribe()
    product = shop.world.get("price", shop.monthly)["product"]
    other = shop.price(product, 300, interval)
    schedule = shop.post("subscription_schedules", from_subscription=sub["id"])
    first = schedule["phases"][0]
    dates = {name: first[name] for name in ("start_date", "end_date")}
    phases = [{"items": [{"price": shop.monthly}], **dates}, {"items": [{"price": other}]}]
    shop.post(f"subscription_schedules/{schedule['id']}", phases=phases)
    if by_hand:
        ACTIONS["subscriptions/{id}/renew"](shop.world, sub["id"], {})
    else:
        shop.world.clock.advance_to(first["end_date"] + 3_601)
    amounts = [invoice["total"] for invoice in shop.world.all("invoice").values()]
    assert amounts == [1_000, 300]
    assert [item["price"]["id"] for item in sub["items"]["data"]] == [other]
    assert sub["items"]["data"][0]["current_period_start"] == first["end_date"]


@pytest.mark.parametrize(
    "params", [{"cancel_at_period_end": True}, {"cancel_at": "min_period_end"}]
)
def test_a_schedule_alone_decides_about_the_end(params: dict[str, Any]) -> None:
    """A flag under a schedule is refused; with the subscription the schedule ends."""
    shop = Shop()
    sub = shop.subscribe()
    schedule = shop.post("subscription_schedules", from_subscription=sub["id"])
    with pytest.raises(StripeError, match="managed by the subscription schedule"):
        shop.post(f"subscriptions/{sub['id']}", **params)
    shop.api.call("DELETE", f"/v1/subscriptions/{sub['id']}")
    assert schedule["status"] == "canceled"


def test_from_subscription_takes_nothing_besides() -> None:
    """Phases, metadata and the end need a second request."""
    shop = Shop()
    sub = shop.subscribe()
    with pytest.raises(StripeError, match="from_subscription"):
        shop.post("subscription_schedules", from_subscription=sub["id"], metadata={"a": "b"})


def test_an_invoice_that_was_sent_and_not_paid_is_past_due() -> None:
    """At its due date the subscription is past due; once it is paid, active."""
    shop = Shop()
    sub = shop.subscribe(collection_method="send_invoice", days_until_due=7)
    shop.world.clock.advance(6 * DAY)
    assert sub["status"] == "active"
    shop.world.clock.advance(2 * DAY)
    assert sub["status"] == "past_due"
    assert "invoice.overdue" in shop.since(0)
    shop.post(f"invoices/{sub['latest_invoice']}/pay", paid_out_of_band=True)
    assert sub["status"] == "active"
    shop.world.clock.advance(31 * DAY)
    assert sub["status"] == "past_due"


def test_nothing_is_collected_after_the_end() -> None:
    """A subscription that is canceled leaves its open invoice without further attempts."""
    shop = Shop()
    sub = shop.subscribe()
    ACTIONS["subscriptions/{id}/past_due"](shop.world, sub["id"], {})
    shop.api.call("DELETE", f"/v1/subscriptions/{sub['id']}")
    invoice = shop.world.get("invoice", sub["latest_invoice"])
    assert (invoice["status"], invoice["auto_advance"]) == ("open", False)
    assert invoice["next_payment_attempt"] is None


def test_usage_is_billed_after_its_period() -> None:
    """Meter events of a period are on the next invoice; an identifier counts once."""
    shop = Shop()
    formula = {"formula": "sum"}
    meter = shop.post(
        "billing/meters", display_name="Calls", event_name="calls", default_aggregation=formula
    )
    product = shop.post("products", name="Calls")["id"]
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
    metered = shop.post(
        "prices", product=product, currency="usd", unit_amount=5, recurring=recurring
    )
    sub = shop.subscribe(items=[{"price": metered["id"]}])
    payload = {"stripe_customer_id": shop.customer, "value": "20"}
    shop.post("billing/meter_events", event_name="calls", payload=payload, identifier="once")
    with pytest.raises(StripeError):
        shop.post("billing/meter_events", event_name="calls", payload=payload, identifier="once")
    shop.world.clock.advance(32 * DAY)
    assert shop.world.get("invoice", sub["latest_invoice"])["total"] == 100


def test_entitlements_follow_subscriptions() -> None:
    """A product's feature is active while a subscription of it lives, and each change is told."""
    shop = Shop()
    feature = shop.post("entitlements/features", name="Export", lookup_key="export")
    product = shop.world.get("price", shop.monthly)["product"]
    shop.post(f"products/{product}/features", entitlement_feature=feature["id"])
    sub = shop.subscribe()
    keys = [
        entitlement["lookup_key"]
        for entitlement in shop.api.call(
            "GET", "/v1/entitlements/active_entitlements", {"customer": shop.customer}
        )["data"]
    ]
    assert keys == ["export"]
    shop.api.call("DELETE", f"/v1/subscriptions/{sub['id']}")
    last = shop.world.events[-1]
    assert last["type"] == "entitlements.active_entitlement_summary.updated"
    assert last["data"]["object"]["entitlements"]["data"] == []
