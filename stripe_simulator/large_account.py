"""A large account: one customer's purchases, copied."""

import math
from collections import Counter

from stripe_simulator.copies import Copies, Pattern, find_ids
from stripe_simulator.http import actions, routes
from stripe_simulator.http.listing import newest_first
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Seconds from one copy to the next: 100,000 events fit into the 30 days that Stripe keeps them.
STEP = 500
#: In the address of the customer; each copy has its own.
_BUYER = "buyer-of-a-large-account"


def fill(world: World, objects: int, events: int) -> JSON:
    """Add a customer with purchases, and copies of both; return what there is.

    The copies are not written to the state file, and nothing falls due for them.

    Args:
        objects: number of objects, at least.
        events: number of stored events of the newest copies, at least.
    """
    price = _find_price(world)
    before = {kind: set(found) for kind, found in world.objects.items()}
    begin = len(world.events)
    _buy(world, price)
    added = {
        kind: [obj for id, obj in found.items() if id not in before.get(kind, ())]
        for kind, found in world.objects.items()
    }
    added = {kind: found for kind, found in added.items() if found}
    told = world.events[begin:]
    ids = find_ids([_BUYER, *(obj["id"] for found in [*added.values(), told] for obj in found)])
    copies = max(0, math.ceil(objects / sum(map(len, added.values()))) - 1)
    for kind, found in added.items():
        patterns = [Pattern.of(obj, ids) for obj in found]
        world.objects[kind] = Copies(world.objects[kind], patterns, copies, STEP)
    patterns = [Pattern.of(event | {"pending_webhooks": 0}, ids) for event in told]
    copies = max(0, math.ceil(events / len(told)) - 1)
    world.past_events = Copies(world.events_by_id, patterns, copies, STEP)
    return describe(world)


def describe(world: World) -> JSON:
    """Return the numbers of objects by kind, and of events."""
    objects = Counter({kind: len(found) for kind, found in world.objects.items() if found})
    return {"objects": objects, "events": len(world.past_events or world.events)}


def change(world: World, number: int) -> list[JSON]:
    """Change the metadata of subscriptions that are spread over the account; return the events."""
    found, begin = newest_first(world, "subscription"), len(world.events)
    for place in range(number):
        # Multiples of the golden ratio are evenly spread.
        index = int((begin + place) * 0.6180339887 % 1 * len(found))
        path = f"/v1/subscriptions/{found[index]['id']}"
        routes.find("POST", path)(world, {"metadata": {"change": str(begin + place)}})
    return world.events[begin:]


def _call(world: World, path: str, params: JSON) -> JSON:
    """Send a request, a second after the last one."""
    world.clock.advance(1)
    return routes.find("POST", f"/v1/{path}")(world, params)


def _find_price(world: World) -> str:
    """Return the id of a recurring price, the first one or a new one."""
    for price in world.all("price").values():
        if price["type"] == "recurring":
            return str(price["id"])
    product = _call(world, "products", {"name": "Plan"})["id"]
    period = {"interval": "month"}
    params = {"product": product, "currency": "eur", "unit_amount": 900, "recurring": period}
    return str(_call(world, "prices", params)["id"])


def _buy(world: World, price: str) -> None:
    """A customer with a card subscribes and renews twice."""
    customer = _call(world, "customers", {"email": f"{_BUYER}@example.com", "name": "Ada"})["id"]
    method = _call(world, "payment_methods/pm_card_visa/attach", {"customer": customer})["id"]
    items = [{"price": price}]
    params = {"customer": customer, "items": items, "default_payment_method": method}
    subscription = _call(world, "subscriptions", params)["id"]
    for _ in range(2):
        world.clock.advance(2)
        actions.renew(world, subscription, {})
    world.clock.advance(1)
