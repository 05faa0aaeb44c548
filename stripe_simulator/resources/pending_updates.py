"""Updates of a subscription that wait until their invoice is paid."""

from stripe_simulator.agenda import on_due
from stripe_simulator.resources import invoices, subscription_states
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World


def hold(world: World, sub: JSON, items: list[JSON], invoice: JSON) -> None:
    """Keep new items back: customer.subscription.updated with `pending_update`."""
    expires_at = world.now + world.settings.incomplete_seconds
    pending = {
        "billing_cycle_anchor": None,
        "expires_at": expires_at,
        "subscription_items": snapshot({"items": items})["items"],
        "trial_end": None,
        "trial_from_plan": None,
    }
    world.facts("pending_update_invoice")[sub["id"]] = invoice["id"]
    subscription_states.move(world, sub, pending_update=pending, latest_invoice=invoice["id"])
    world.clock.at(expires_at, "expire_pending_update", sub["id"])


def waits_for(world: World, sub: JSON, invoice: JSON) -> bool:
    """Whether a pending update waits for this invoice."""
    held = world.facts("pending_update_invoice").get(sub["id"]) == invoice["id"]
    return held and sub["pending_update"] is not None


def apply(world: World, sub: JSON) -> None:
    """The invoice is paid: the items become the subscription's own."""
    items = sub["items"] | {"data": sub["pending_update"]["subscription_items"]}
    subscription_states.move(world, sub, items=items, pending_update=None)
    world.record("customer.subscription.pending_update_applied", sub)


@on_due("expire_pending_update")
def expire(world: World, id: str) -> None:
    """The invoice was not paid in time."""
    sub = world.find("subscription", id)
    pending = sub["pending_update"] if sub else None
    if sub is not None and pending and pending["expires_at"] <= world.now:
        drop(world, sub)


def drop(world: World, sub: JSON) -> None:
    """A pending update, if there is one, is given up and its invoice voided."""
    if not sub["pending_update"]:
        return
    invoice = world.find("invoice", world.facts("pending_update_invoice").get(sub["id"]))
    subscription_states.move(world, sub, pending_update=None)
    world.record("customer.subscription.pending_update_expired", sub)
    if invoice is not None and invoice["status"] == "open":
        invoices.void(world, invoice)
