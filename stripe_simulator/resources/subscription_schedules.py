"""Subscription schedules: phases that put a subscription on one plan after another."""

from typing import Any

from stripe_simulator.agenda import on_due
from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required
from stripe_simulator.periods import add_interval, period_end
from stripe_simulator.resources import (
    billing,
    schedule_phases,
    subscription_items,
    subscription_rules,
    subscription_states,
    subscription_updates,
    subscriptions,
    tax_rates,
)
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

OPEN = ("not_started", "active")


def create(world: World, params: JSON) -> JSON:
    """POST /v1/subscription_schedules: from a subscription, or with phases of its own."""
    from_sub = optional(params, "from_subscription")
    sub = world.get("subscription", from_sub, "from_subscription") if from_sub else None
    if sub is not None:
        _must_be_alone(params)
    if sub is not None and (sub["schedule"] or not subscription_states.is_live(sub)):
        raise invalid("This subscription cannot get a schedule.", "from_subscription")
    customer = sub["customer"] if sub else required(params, "customer")
    world.get("customer", customer, "customer")
    schedule = _schedule(world, customer, params)
    schedule["phases"] = [_phase_of(sub)] if sub else _phases(world, params, schedule)
    world.add(schedule)
    if sub is not None:
        _attach(world, schedule, sub)
    world.record("subscription_schedule.created", schedule)
    _plan(world, schedule)
    if schedule["status"] == "not_started" and schedule["phases"][0]["start_date"] <= world.now:
        start(world, schedule["id"])
    return schedule


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/subscription_schedules/:id: new phases take the place of the old ones."""
    schedule = _open(world, id)
    with world.change(schedule, "subscription_schedule.updated"):
        schedule["metadata"] = metadata(params, schedule["metadata"])
        schedule["end_behavior"] = optional(params, "end_behavior", schedule["end_behavior"])
        if params.get("phases"):
            schedule["phases"] = _phases(world, params, schedule)
            if schedule["current_phase"]:
                schedule["current_phase"] = _dates(_current(world, schedule))
    _plan(world, schedule)
    if params.get("phases") and schedule["status"] == "active":
        _follow(world, schedule, optional(params, "proration_behavior", "create_prorations"))
    return schedule


def cancel(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/subscription_schedules/:id/cancel: the subscription ends with it."""
    schedule = _open(world, id)
    sub = world.find("subscription", schedule["subscription"])
    schedule |= {"status": "canceled", "canceled_at": world.now, "current_phase": None}
    if sub is not None and subscription_states.is_live(sub):
        sub["schedule"] = None
        subscription_states.end(world, sub, "cancellation_requested")
    world.record("subscription_schedule.canceled", schedule)
    return schedule


def release(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/subscription_schedules/:id/release: the subscription goes on by itself."""
    schedule = _open(world, id)
    sub = world.find("subscription", schedule["subscription"])
    schedule |= {
        "status": "released",
        "released_at": world.now,
        "released_subscription": schedule["subscription"],
        "subscription": None,
        "current_phase": None,
    }
    if sub is not None:
        subscription_states.move(world, sub, schedule=None)
    world.record("subscription_schedule.released", schedule)
    return schedule


@on_due("start_schedule")
def start(world: World, id: str) -> None:
    """The first phase begins: the subscription is made; without a card its invoices are sent."""
    schedule = world.get("subscription_schedule", id)
    if schedule["status"] != "not_started" or not world.find("customer", schedule["customer"]):
        return
    phase = schedule["phases"][0]
    items = [_bought(item) for item in phase["items"]]
    params: JSON = {"customer": schedule["customer"], "items": items}
    if billing.method_for(world, world.get("customer", schedule["customer"])) is None:
        params |= {"collection_method": "send_invoice", "days_until_due": 30}
    sub = subscriptions.create(world, params)
    with world.change(schedule, "subscription_schedule.updated"):
        _attach(world, schedule, sub)


@on_due("next_phase")
def next_phase(world: World, id: str) -> None:
    """A phase ended: the next one begins, or the schedule is completed or released."""
    schedule = world.get("subscription_schedule", id)
    current = schedule["current_phase"]
    if schedule["status"] != "active" or current["end_date"] > world.now:
        return
    sub = world.get("subscription", schedule["subscription"])
    later = [p for p in schedule["phases"] if p["start_date"] >= current["end_date"]]
    if not subscription_states.is_live(sub):
        schedule |= {"status": "canceled", "canceled_at": world.now, "current_phase": None}
        world.record("subscription_schedule.aborted", schedule)
    elif later:
        _enter(world, schedule, sub, later[0])
    else:
        _end(world, schedule, sub)


@on_due("phase_expires")
def expiring(world: World, id: str) -> None:
    """A week before the last phase ends."""
    schedule = world.get("subscription_schedule", id)
    if schedule["status"] == "active":
        world.record("subscription_schedule.expiring", schedule)


@on_due("phase_at_renewal")
def at_renewal(world: World, sub_id: str) -> None:
    """Before a period is billed: a phase that begins with it sets what is billed."""
    sub = world.get("subscription", sub_id)
    schedule = world.find("subscription_schedule", sub["schedule"])
    if schedule is None or schedule["status"] != "active":
        return
    end = schedule["current_phase"]["end_date"]
    if end > min(item["current_period_end"] for item in sub["items"]["data"]):
        return
    later = [phase for phase in schedule["phases"] if phase["start_date"] >= end]
    if later:
        _enter(world, schedule, sub, later[0], with_period=True)
    else:
        _end(world, schedule, sub)


def _enter(
    world: World, schedule: JSON, sub: JSON, phase: JSON, *, with_period: bool = False
) -> None:
    old = sub["items"]["data"]
    with world.change(schedule, "subscription_schedule.updated"):
        schedule["current_phase"] = _dates(phase)
    _give_discounts(world, sub, phase)
    if with_period or all(item["current_period_end"] <= world.now for item in old):
        _swap(world, sub, phase)
        return
    given: list[JSON] = [{"id": item["id"], "deleted": True} for item in old]
    given += [_bought(item) for item in phase["items"]]
    params = {"items": given, "proration_behavior": phase["proration_behavior"]}
    subscription_updates.update(world, sub["id"], params)


def _swap(world: World, sub: JSON, phase: JSON) -> None:
    """A phase that begins with a period: its prices are billed from there, nothing is prorated."""
    old = sub["items"]["data"]
    start = min(item["current_period_start"] for item in old)
    end = min(item["current_period_end"] for item in old)
    ids = {item["price"]["id"]: item["id"] for item in old}
    anchor = sub["billing_cycle_anchor"]
    items = [
        subscription_items.build(world, sub["id"], _bought(item), start, end, anchor)
        for item in phase["items"]
    ]
    for item in items:
        item["id"] = ids.get(item["price"]["id"], item["id"])
    subscription_states.move(world, sub, items=subscription_items.as_list(sub["id"], items))


def _follow(world: World, schedule: JSON, behavior: str) -> None:
    """Changes of the current phase apply to the subscription at once."""
    sub = world.get("subscription", schedule["subscription"])
    wanted = {item["price"]: item for item in _current(world, schedule)["items"]}
    given: list[JSON] = []
    for item in sub["items"]["data"]:
        phase = wanted.pop(item["price"]["id"], None)
        if phase is None:
            given.append({"id": item["id"], "deleted": True})
        elif item.get("quantity", phase["quantity"]) != phase["quantity"]:
            given.append({"id": item["id"], "quantity": phase["quantity"]})
    given += [_bought(item) for item in wanted.values()]
    if given:
        params = {"items": given, "proration_behavior": behavior}
        subscription_updates.update(world, sub["id"], params)
    _give_discounts(world, sub, _current(world, schedule))


def _give_discounts(world: World, sub: JSON, phase: JSON) -> None:
    """A subscription has the discounts of its phase: those that the phase leaves out end."""
    given = [{name: id for name, id in each.items() if id} for each in phase["discounts"]]
    if [each.get("discount") for each in given] != sub["discounts"]:
        subscription_updates.update(world, sub["id"], {"discounts": given})


def _bought(item: JSON) -> JSON:
    return {"price": item["price"], "quantity": item.get("quantity", 1)}


def _dates(phase: JSON) -> JSON:
    return {"start_date": phase["start_date"], "end_date": phase["end_date"]}


def _current(world: World, schedule: JSON) -> JSON:
    begun = [phase for phase in schedule["phases"] if phase["start_date"] <= world.now]
    found: JSON = (begun or schedule["phases"])[-1 if begun else 0]
    return found


def _must_be_alone(params: JSON) -> None:
    for name in params.keys() - {"from_subscription", "expand"}:
        raise invalid(f"You cannot set `{name}` if `from_subscription` is set.", name)


def _end(world: World, schedule: JSON, sub: JSON) -> None:
    if schedule["end_behavior"] == "cancel":
        sub["schedule"] = None
        subscription_states.end(world, sub, "cancellation_requested")
        changes: JSON = {"status": "completed", "completed_at": world.now}
        schedule |= changes | {"current_phase": None}
        world.record("subscription_schedule.completed", schedule)
    else:
        release(world, schedule["id"], {})


def _attach(world: World, schedule: JSON, sub: JSON) -> None:
    dates = _dates(schedule["phases"][0])
    schedule |= {"status": "active", "subscription": sub["id"], "current_phase": dates}
    subscription_states.move(world, sub, schedule=schedule["id"])


def _open(world: World, id: str) -> JSON:
    schedule = world.get("subscription_schedule", id)
    if schedule["status"] not in OPEN:
        raise invalid(f"This schedule is {schedule['status']}.", "id")
    return schedule


def _plan(world: World, schedule: JSON) -> None:
    first, last = schedule["phases"][0], schedule["phases"][-1]
    if schedule["status"] == "not_started" and first["start_date"] > world.now:
        world.clock.at(first["start_date"], "start_schedule", schedule["id"])
    for phase in schedule["phases"]:
        if phase["end_date"] > world.now:
            world.clock.at(phase["end_date"], "next_phase", schedule["id"])
    if last["end_date"] - 7 * 86_400 > world.now:
        world.clock.at(last["end_date"] - 7 * 86_400, "phase_expires", schedule["id"])


def _phases(world: World, params: JSON, schedule: JSON) -> list[JSON]:
    given = required(params, "phases")
    begin = given[0].get("start_date", optional(params, "start_date", "now"))
    if schedule.get("phases"):
        begin = schedule["phases"][0]["start_date"]
    when = world.now if begin == "now" else int(begin)
    phases = []
    for entry in given:
        phase = _phase(world, entry, when)
        phases.append(phase)
        when = phase["end_date"]
    schedule_phases.check(world, given, phases, has_begun=bool(schedule.get("phases")))
    return phases


def _phase(world: World, given: JSON, start: int) -> JSON:
    prices = [world.get("price", item["price"], "phases") for item in given["items"]]
    end = given.get("end_date")
    duration = given.get("duration")
    if duration:
        end = add_interval(start, duration["interval"], int(duration.get("interval_count", 1)))
    for _ in range(0 if end else int(given.get("iterations", 1))):
        subscription_rules.check_recurring(prices[0], "phases")
        end = period_end(prices[0], end or start)
    items = [_item(item) for item in given["items"]]
    rates = tax_rates.resolve(world, given.get("default_tax_rates") or [])
    return _shape(start, int(end or start), prices[0]["currency"], items) | {
        "default_tax_rates": rates,
        "discounts": schedule_phases.read_discounts(given),
        "trial_end": optional(given, "trial_end"),
        "metadata": metadata(given),
        "proration_behavior": given.get("proration_behavior", "create_prorations"),
    }


def _phase_of(sub: JSON) -> JSON:
    items = sub["items"]["data"]
    start = min(item["current_period_start"] for item in items)
    end = max(item["current_period_end"] for item in items)
    entries = [_item({"price": i["price"]["id"], "quantity": i.get("quantity", 1)}) for i in items]
    return _shape(start, end, sub["currency"], entries) | {
        "default_tax_rates": sub["default_tax_rates"],
        "discounts": schedule_phases.read_discounts(
            {"discounts": [{"discount": id} for id in sub["discounts"]]}
        ),
        "trial_end": sub["trial_end"] if sub["status"] == "trialing" else None,
    }


def _item(given: JSON) -> JSON:
    return {
        "billing_thresholds": None,
        "discounts": schedule_phases.read_discounts(given),
        "metadata": metadata(given),
        "price": given["price"],
        "quantity": int(given.get("quantity", 1)),
        "tax_rates": [],
    }


def _shape(start: int, end: int, currency: str, items: list[JSON]) -> JSON:
    nothing = (
        "application_fee_percent",
        "billing_cycle_anchor",
        "billing_thresholds",
        "collection_method",
        "default_payment_method",
        "description",
        "invoice_settings",
        "on_behalf_of",
        "transfer_data",
        "trial_end",
    )
    phase: dict[str, Any] = dict.fromkeys(nothing)
    return phase | {
        "add_invoice_items": [],
        "currency": currency,
        "default_tax_rates": [],
        "discounts": [],
        "end_date": end,
        "items": items,
        "metadata": {},
        "proration_behavior": "create_prorations",
        "start_date": start,
    }


def _schedule(world: World, customer: str, params: JSON) -> JSON:
    nothing = ("application_fee_percent", "billing_thresholds", "default_payment_method")
    defaults: dict[str, Any] = dict.fromkeys((*nothing, "description", "on_behalf_of"))
    defaults |= {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": "automatic",
        "collection_method": "charge_automatically",
        "invoice_settings": {
            "account_tax_ids": None,
            "days_until_due": None,
            "issuer": {"type": "self"},
        },
        "transfer_data": None,
    }
    return {
        "id": world.ids.timed("sub_sched", world.now),
        "object": "subscription_schedule",
        "application": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "canceled_at": None,
        "completed_at": None,
        "created": world.now,
        "current_phase": None,
        "customer": customer,
        "customer_account": None,
        "default_settings": defaults,
        "end_behavior": optional(params, "end_behavior", "release"),
        "livemode": False,
        "metadata": metadata(params),
        "phases": [],
        "released_at": None,
        "released_subscription": None,
        "status": "not_started",
        "subscription": None,
        "test_clock": None,
    }
