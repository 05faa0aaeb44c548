"""Due dates of a subscription: renewal, end of trial, cancellation, reminders."""

from stripe_simulator.agenda import ACTIONS, on_due
from stripe_simulator.periods import period_end
from stripe_simulator.resources import (
    billing,
    invoices,
    subscription_invoices,
    subscription_states,
    subscriptions,
)
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World


@on_due("renew")
def renew(world: World, id: str) -> None:
    """A period ended: cancel, end the trial, or bill the next period."""
    sub = _live(world, id)
    if sub is None or sub["status"] in ("paused", "incomplete"):
        return
    if not _due(world, sub):
        return
    enter_phase(world, sub)
    if not subscription_states.is_live(sub):
        return
    if sub["cancel_at"] is not None and sub["cancel_at"] <= world.now:
        subscription_states.end(world, sub, "cancellation_requested")
    elif trial_ends_without_method(world, sub):
        return
    else:
        begin_next_period(world, sub, _due(world, sub))


def enter_phase(world: World, sub: JSON) -> None:
    """Apply the phase of a schedule that begins with the next period, if there is one."""
    if sub["schedule"]:
        ACTIONS["phase_at_renewal"](world, sub["id"])


def _due(world: World, sub: JSON) -> list[JSON]:
    return [i for i in sub["items"]["data"] if i["current_period_end"] <= world.now]


def begin_next_period(world: World, sub: JSON, due: list[JSON]) -> JSON:
    """Move items to their next period and draft its invoice; returns the invoice."""
    with world.change(sub, subscription_states.UPDATED):
        if sub["status"] == "trialing":
            sub["status"] = "active"
        for item in due:
            start = item["current_period_end"]
            end = period_end(item["price"], start, sub["billing_cycle_anchor"])
            item |= {"current_period_start": start, "current_period_end": end}
        invoice = _draft(world, sub, due)
        sub["latest_invoice"] = invoice["id"]
    subscriptions.plan(world, sub)
    return invoice


@on_due("cancel_at")
def cancel_at(world: World, id: str) -> None:
    """The date at which the customer wanted it to end."""
    sub = _live(world, id)
    if sub is not None and sub["cancel_at"] is not None and sub["cancel_at"] <= world.now:
        subscription_states.end(world, sub, "cancellation_requested")


@on_due("expire_incomplete")
def expire_incomplete(world: World, id: str) -> None:
    """The first payment never came: the subscription expires and its invoice is voided."""
    sub = _live(world, id)
    if sub is None or sub["status"] != "incomplete":
        return
    subscription_states.expire(world, sub)
    invoice = world.find("invoice", sub["latest_invoice"])
    if invoice is not None and invoice["status"] == "open":
        invoices.void(world, invoice)


@on_due("trial_will_end")
def trial_will_end(world: World, id: str) -> None:
    """Three days before the end of a trial."""
    sub = _live(world, id)
    if sub is None or sub["status"] != "trialing":
        return
    if sub["trial_end"] - 3 * DAY <= world.now < sub["trial_end"]:
        world.record("customer.subscription.trial_will_end", sub)


@on_due("upcoming")
def upcoming(world: World, id: str) -> None:
    """Some days before a renewal: invoice.upcoming; its invoice has no id."""
    sub = _live(world, id)
    if sub is None or sub["cancel_at"] is not None or sub["status"] not in ("active", "trialing"):
        return
    # Each change of the subscription plans it again; Stripe sends one per period.
    end = min(item["current_period_end"] for item in sub["items"]["data"])
    announced = world.facts("upcoming_announced")
    if announced.get(id) != end:
        announced[id] = end
        world.record("invoice.upcoming", preview(world, sub))


@on_due("resume_collection")
def resume_collection(world: World, id: str) -> None:
    """The date until which collection was paused."""
    sub = _live(world, id)
    resumes_at = ((sub or {}).get("pause_collection") or {}).get("resumes_at")
    if sub is not None and resumes_at is not None and resumes_at <= world.now:
        subscription_states.move(world, sub, pause_collection=None)


def preview(world: World, sub: JSON) -> JSON:
    """The next invoice as it would be, without id; nothing in the world changes."""
    copy = snapshot(sub)
    copy["status"] = "active"
    for item in copy["items"]["data"]:
        start = item["current_period_end"]
        end = period_end(item["price"], start, sub["billing_cycle_anchor"])
        item |= {"current_period_start": start, "current_period_end": end}
    return without_trace(world, copy, copy["items"]["data"])


def without_trace(world: World, sub: JSON, items: list[JSON]) -> JSON:
    """Draft an invoice and put back what drafting took."""
    names = ("waiting_items", "metered_until")
    kept = {name: snapshot(world.facts(name)) for name in names}
    taken = kept["waiting_items"].get(sub["customer"], [])
    invoice = subscription_invoices.draft(world, sub, items, "upcoming")
    world.side |= kept
    for id in taken:
        world.get("invoiceitem", id)["invoice"] = None
    del invoice["id"]
    return invoice


def _live(world: World, id: str) -> JSON | None:
    sub = world.find("subscription", id)
    return sub if sub is not None and subscription_states.is_live(sub) else None


def trial_ends_without_method(world: World, sub: JSON) -> bool:
    """Pause or cancel at the end of a trial without a payment method; return whether it did."""
    if sub["status"] != "trialing":
        return False
    customer = world.get("customer", sub["customer"])
    if billing.method_for(world, customer, sub) is not None:
        return False
    behavior = sub["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "pause":
        subscription_states.pause(world, sub)
    elif behavior == "cancel":
        subscription_states.end(world, sub, "cancellation_requested")
    return bool(behavior != "create_invoice")


def _draft(world: World, sub: JSON, due: list[JSON]) -> JSON:
    finalizes_at = world.now + world.settings.draft_seconds
    paused = sub["pause_collection"]
    invoice = subscription_invoices.draft(
        world,
        sub,
        due,
        "subscription_cycle",
        due_date=invoices.due_date(world, {"days_until_due": sub["days_until_due"]}),
        auto_advance=paused is None,
        automatically_finalizes_at=None if paused else finalizes_at,
    )
    invoices.keep(world, invoice)
    if paused is None:
        world.clock.at(finalizes_at, "finalize_invoice", invoice["id"])
    elif paused["behavior"] != "keep_as_draft":
        invoices.finalize(world, invoice)
        close = invoices.void if paused["behavior"] == "void" else invoices.mark_uncollectible
        close(world, invoice)
    return invoice
