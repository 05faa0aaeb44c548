"""Which collection each type of event ends in."""

import json
from typing import Any

import pytest

from gateway.ids import record_id
from gateway.mirror.event_change import decide
from gateway.stripe_api.event import parse
from tests.delivery import build_event

#: By the object that the events show: the collection, and the types of issue and documentation.
TYPES = {
    ("product", "products"): "product.created product.updated product.deleted",
    ("price", "prices"): "price.created price.updated price.deleted",
    ("coupon", "coupons"): "coupon.created coupon.updated coupon.deleted",
    ("promotion_code", "promotion_codes"): "promotion_code.created promotion_code.updated",
    ("tax_rate", "tax_rates"): "tax_rate.created tax_rate.updated",
    ("customer", "customers"): "customer.created customer.updated customer.deleted",
    ("tax_id", "tax_ids"): "customer.tax_id.created customer.tax_id.updated"
    " customer.tax_id.deleted",
    ("subscription", "subscriptions"): "customer.subscription.created"
    " customer.subscription.updated customer.subscription.deleted customer.subscription.paused"
    " customer.subscription.resumed customer.subscription.pending_update_applied"
    " customer.subscription.pending_update_expired customer.subscription.trial_will_end",
    ("checkout.session", "checkout_sessions"): "checkout.session.completed"
    " checkout.session.async_payment_succeeded checkout.session.async_payment_failed"
    " checkout.session.expired",
    ("invoice", "invoices"): "invoice.created invoice.updated invoice.deleted invoice.finalized"
    " invoice.finalization_failed invoice.marked_uncollectible invoice.overdue invoice.overpaid"
    " invoice.paid invoice.payment_action_required invoice.payment_failed"
    " invoice.payment_succeeded invoice.sent invoice.voided invoice.will_be_due",
    ("invoice_payment", "invoice_payments"): "invoice_payment.paid",
    ("payment_intent", "payments"): "payment_intent.created payment_intent.processing"
    " payment_intent.requires_action payment_intent.amount_capturable_updated"
    " payment_intent.partially_funded payment_intent.payment_failed payment_intent.succeeded"
    " payment_intent.canceled",
    ("setup_intent", "setup_intents"): "setup_intent.created setup_intent.requires_action"
    " setup_intent.setup_failed setup_intent.succeeded setup_intent.canceled",
    ("payment_method", "payment_methods"): "payment_method.attached payment_method.detached"
    " payment_method.updated payment_method.automatically_updated",
    ("charge", "charges"): "charge.captured charge.expired charge.failed charge.pending"
    " charge.refunded charge.succeeded charge.updated",
    ("refund", "refunds"): "refund.created refund.updated refund.failed charge.refund.updated",
    ("dispute", "disputes"): "charge.dispute.created charge.dispute.updated charge.dispute.closed"
    " charge.dispute.funds_withdrawn charge.dispute.funds_reinstated",
    ("credit_note", "credit_notes"): "credit_note.created credit_note.updated credit_note.voided",
    ("subscription_schedule", "subscription_schedules"): "subscription_schedule.created"
    " subscription_schedule.updated subscription_schedule.released subscription_schedule.canceled"
    " subscription_schedule.completed subscription_schedule.aborted"
    " subscription_schedule.expiring",
    ("entitlements.active_entitlement_summary", "entitlement_summaries"): "entitlements"
    ".active_entitlement_summary.updated",
}
ROWS = [(type, *target) for target, types in TYPES.items() for type in types.split()]


@pytest.mark.parametrize(("type", "kind", "collection"), ROWS)
def test_mirrored_type(type: str, kind: str, collection: str) -> None:
    """An event of this type brings the row of its object up to date."""
    planned = _plan(type, {"id": "x_1", "object": kind, "customer": "cus_1"})

    assert planned.state is not None
    assert planned.state.row.collection == collection
    assert planned.state.row.final is type.endswith(".deleted")


@pytest.mark.parametrize(
    ("type", "item"),
    [
        ("invoice.upcoming", {"object": "invoice", "customer": "cus_1"}),
        ("balance.available", {"object": "balance"}),
        ("cash_balance.funds_available", {"object": "cash_balance", "customer": "cus_1"}),
        ("account.updated", {}),
        ("odd.object", {"id": "x", "object": ["product"]}),
        ("odd.id", {"id": 7, "object": "product"}),
    ],
)
def test_other_type(type: str, item: dict[str, Any]) -> None:
    """An event about an object without an id is stored and changes no row."""
    planned = _plan(type, item)

    assert (planned.outcome, planned.state) == ("ignored", None)


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("payout.paid", "payout"),
        ("customer.discount.created", "discount"),
        ("billing_portal.session.created", "billing_portal.session"),
        ("customer.source.created", "card"),
        ("review.opened", "review"),
        ("radar.early_fraud_warning.created", "radar.early_fraud_warning"),
        ("plan.deleted", "plan"),
        ("to.be.invented", "invention"),
    ],
)
def test_type_without_a_projection(type: str, kind: str) -> None:
    """An object without a registry entry becomes a row of `stripe_objects`, complete."""
    item = {"id": "x_1", "object": kind, "customer": "cus_1", "created": 1793491200, "more": [1]}

    planned = _plan(type, item)

    row = planned.state.row
    assert (row.collection, row.stripe_id, row.object) == ("stripe_objects", "x_1", item)
    assert row.values == {
        "object": kind,
        "customer": record_id("cus_1"),
        "livemode": False,
        "deleted": type.endswith(".deleted"),
        "created": "2026-11-01 00:00:00.000Z",
    }
    assert row.final is type.endswith(".deleted")


@pytest.mark.parametrize(("type", "kind", "collection"), ROWS)
def test_connected_account(type: str, kind: str, collection: str) -> None:
    """The same event of a connected account changes no row."""
    item = {"id": "x_1", "object": kind, "customer": "cus_1"}

    planned = decide(parse(json.dumps(build_event(type, item, account="acct_1"))))

    assert (planned.outcome, planned.state, planned.claims) == ("connect", None, ())


def _plan(type: str, item: dict[str, Any]) -> Any:
    return decide(parse(json.dumps(build_event(type, item))))
