"""Random histories: what every update replaced, the same seed, every kind of object."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stripe_simulator.contract.contract import Contract
from stripe_simulator.histories import play
from stripe_simulator.snapshots import previous_attributes, restore, snapshot
from stripe_simulator.world import World

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", max_size=1), inner),
    max_leaves=8,
)
HASHES = st.dictionaries(st.text("xyz", max_size=1), JSON_VALUES)

#: Coupons count their redemptions without an event, as at Stripe.
SILENT = {"coupon": {"times_redeemed", "valid"}}


def without_nulls(value: Any) -> Any:
    """A value in which an absent key and a null are the same, as in previous_attributes."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


@settings(max_examples=60, deadline=None)
@given(HASHES, HASHES)
def test_what_an_update_replaced_leads_back(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Putting previous_attributes back gives the object before, for any two objects."""
    back = restore(after, previous_attributes(before, after))
    assert without_nulls(back) == without_nulls(before)


@settings(max_examples=30, deadline=None)
@given(HASHES)
def test_no_change_replaces_nothing(value: dict[str, Any]) -> None:
    """An object that stays has no previous_attributes."""
    assert previous_attributes(value, snapshot(value)) == {}


def test_previous_attributes_are_partial_as_at_stripe() -> None:
    """Hashes are partial, lists whole, and what was absent is null."""
    before = {"a": {"x": 1, "y": 2}, "list": [1, 2], "same": 1}
    after = {"a": {"x": 1, "y": 3, "z": 4}, "list": [1], "same": 1, "new": 5}
    assert previous_attributes(before, after) == {
        "a": {"y": 2, "z": None},
        "list": [1, 2],
        "new": None,
    }


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_update_leads_back_to_the_event_before(chance: random.Random) -> None:
    """In any history, an update's previous_attributes restore the snapshot that came before."""
    world = World(seed=1)
    play(world, chance, steps=25)
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for event in world.events:
        obj = event["data"]["object"]
        key = (obj["object"], obj.get("id") or obj["customer"])
        if "previous_attributes" in event["data"] and key in last:
            back = without_nulls(restore(obj, event["data"]["previous_attributes"]))
            hidden = SILENT.get(obj["object"], set())
            for name in (back.keys() | last[key].keys()) - hidden:
                assert back.get(name) == last[key].get(name), (event["type"], name)
        last[key] = without_nulls(obj)


def test_a_history_is_the_same_for_the_same_seed() -> None:
    """Seed and choices decide every id and every event."""
    worlds = [World(seed=5) for _ in range(2)]
    for world in worlds:
        play(world, random.Random(5), steps=40)
    assert worlds[0].events == worlds[1].events


def test_a_whole_history_touches_every_kind_of_object() -> None:
    """`whole=True` makes at least one event of each mirrored object, several in a second."""
    world = World(seed=2)
    for seed in range(5):
        play(world, random.Random(seed), steps=40, whole=True)
    kinds = {event["data"]["object"]["object"] for event in world.events}
    assert kinds >= {
        "billing_portal.session",
        "charge",
        "checkout.session",
        "coupon",
        "credit_note",
        "customer",
        "dispute",
        "entitlements.active_entitlement_summary",
        "invoice",
        "invoice_payment",
        "invoiceitem",
        "payment_intent",
        "payment_method",
        "price",
        "product",
        "promotion_code",
        "refund",
        "setup_intent",
        "subscription",
        "subscription_schedule",
        "tax_id",
        "tax_rate",
    }
    assert len({event["created"] for event in world.events}) < len(world.events) / 2


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_keep_the_contract(seed: int) -> None:
    """No event of any history carries an object that Stripe's document does not allow."""
    world, contract = World(seed=seed), Contract()
    world.listeners.append(contract.check_event)
    play(world, random.Random(seed), steps=60, whole=True)
    assert contract.violations == []


def test_the_newest_snapshot_is_the_object() -> None:
    """After any history the last event of an object with updates shows it as it is."""
    world = World(seed=9)
    play(world, random.Random(9), steps=150, whole=True)
    last = {e["data"]["object"].get("id"): e["data"]["object"] for e in world.events}
    for kind in ("customer", "product", "price", "subscription", "invoice", "charge", "refund"):
        for id, obj in world.all(kind).items():
            assert last[id] == obj
