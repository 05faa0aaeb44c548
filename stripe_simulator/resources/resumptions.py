"""Paused subscriptions that begin again when their resumption invoice is paid."""

from stripe_simulator.resources import subscription_items, subscription_states
from stripe_simulator.snapshots import JSON, snapshot
from stripe_simulator.world import World


def hold(world: World, sub: JSON, items: list[JSON], invoice: JSON) -> None:
    """The subscription stays paused; the items' new periods wait for the invoice."""
    kept = {"invoice": invoice["id"], "items": snapshot({"items": items})["items"]}
    world.facts("resumption")[sub["id"]] = kept
    subscription_states.move(world, sub, latest_invoice=invoice["id"])


def waits_for(world: World, sub: JSON, invoice: JSON) -> bool:
    """Whether a paused subscription waits for this invoice."""
    held = world.facts("resumption").get(sub["id"], {})
    return bool(held.get("invoice") == invoice["id"] and sub["status"] == "paused")


def apply(world: World, sub: JSON) -> None:
    """The invoice is paid: customer.subscription.updated, then resumed."""
    items = world.facts("resumption").pop(sub["id"])["items"]
    anchor = items[0]["current_period_start"]
    subscription_states.move(
        world,
        sub,
        status="active",
        billing_cycle_anchor=anchor,
        items=subscription_items.as_list(sub["id"], items),
    )
    world.record("customer.subscription.resumed", sub)
    world.clock.at(min(item["current_period_end"] for item in items), "renew", sub["id"])
