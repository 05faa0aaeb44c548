"""The event types of the webhook endpoint: what the mirror and the app's handlers need."""

import random

import pytest

from gateway.mirror.registry import BY_OBJECT
from gateway.notifications.handler_events import STRIPE_TYPES
from gateway.notifications.kinds import KINDS
from gateway.setup.event_types import handled_types, object_of
from stripe_simulator.histories import play
from stripe_simulator.world import World


def test_types_change_a_collection() -> None:
    """Every type of a mirrored object, and no other."""
    types = handled_types()
    assert {object_of(each) for each in types} == set(BY_OBJECT)
    assert set(KINDS) <= set(types) < STRIPE_TYPES
    for wanted in (
        "charge.dispute.created",
        "charge.refund.updated",
        "customer.subscription.paused",
    ):
        assert wanted in types
    assert not [each for each in types if each.startswith(("payout.", "issuing_", "account."))]


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        ("payout", {each for each in STRIPE_TYPES if each.startswith("payout.")}),
        ("discount", {f"customer.discount.{each}" for each in ("created", "deleted", "updated")}),
        ("issuing.card", {"issuing_card.created", "issuing_card.updated"}),
        (
            "radar.early_fraud_warning",
            {f"radar.early_fraud_warning.{each}d" for each in ("create", "update")},
        ),
    ],
)
def test_an_apps_objects_are_added(kind: str, types: set[str]) -> None:
    """All types of a further mirrored object."""
    assert set(handled_types([kind])) - set(handled_types()) == types


def test_an_apps_handlers_are_added() -> None:
    """Stripe's types; domain events come from types that are there already."""
    topics = ["payout.paid", "subscription.started", "entitlement.gained"]
    assert set(handled_types(topics=topics)) - set(handled_types()) == {"payout.paid"}


def test_types_show_the_objects_of_their_events() -> None:
    """As the events of random histories of an account."""
    world = World(seed=5)
    play(world, random.Random(5), 300)
    shown = {(event["type"], event["data"]["object"]["object"]) for event in world.events}
    assert len(shown) > 20
    assert {(each, object_of(each)) for each, _ in shown} == shown
