"""The states of a subscription, and what each change of state records."""

from typing import Any

from stripe_simulator.resources import entitlements
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

UPDATED = "customer.subscription.updated"
ENDED = ("canceled", "incomplete_expired")


def move(world: World, sub: JSON, **changes: Any) -> None:
    """Change a subscription: customer.subscription.updated, then entitlements."""
    with world.change(sub, UPDATED):
        sub |= changes
    entitlements.refresh(world, sub["customer"])


def paid(world: World, sub: JSON) -> None:
    """Its newest invoice is paid (or is being paid by a delayed method)."""
    if sub["status"] in ("incomplete", "past_due", "unpaid"):
        move(world, sub, status="active")


def failed(world: World, sub: JSON) -> None:
    """An attempt to pay failed; a first payment leaves it incomplete."""
    if sub["status"] in ("active", "trialing"):
        move(world, sub, status="past_due")


def expire(world: World, sub: JSON) -> None:
    """The first payment never came."""
    move(world, sub, status="incomplete_expired", ended_at=world.now)


def end(world: World, sub: JSON, reason: str, **details: Any) -> None:
    """Cancel now: customer.subscription.deleted."""
    now = world.now
    _end_schedule(world, sub)
    _stop_collection(world, sub)
    sub |= {
        "status": "canceled",
        "canceled_at": sub["canceled_at"] or now,
        "ended_at": now,
        "cancel_at_period_end": False,
        "pause_collection": None,
        "pending_update": None,
        "cancellation_details": sub["cancellation_details"] | {"reason": reason} | details,
    }
    world.record("customer.subscription.deleted", sub)
    entitlements.refresh(world, sub["customer"])


def _end_schedule(world: World, sub: JSON) -> None:
    schedule = world.find("subscription_schedule", sub["schedule"])
    if schedule is not None and schedule["status"] == "active":
        schedule |= {"status": "canceled", "canceled_at": world.now, "current_phase": None}
        world.record("subscription_schedule.canceled", schedule)
    sub["schedule"] = None


def _stop_collection(world: World, sub: JSON) -> None:
    """Stripe charges no finalized invoice by itself once the subscription is canceled."""
    for invoice in world.all("invoice").values():
        details = (invoice["parent"] or {}).get("subscription_details") or {}
        if details.get("subscription") != sub["id"] or invoice["status"] != "open":
            continue
        if invoice["auto_advance"] or invoice["next_payment_attempt"]:
            with world.change(invoice, "invoice.updated"):
                invoice |= {"auto_advance": False, "next_payment_attempt": None}


def pause(world: World, sub: JSON) -> None:
    """A trial ended without a payment method: customer.subscription.paused."""
    move(world, sub, status="paused")
    world.record("customer.subscription.paused", sub)


def is_live(sub: JSON) -> bool:
    """Whether it may still change."""
    return sub["status"] not in ENDED
