"""Entitlements: the features that a customer's live subscriptions carry."""

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import listing, metadata, required, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Subscriptions in these states entitle.
ENTITLING = ("active", "trialing", "past_due")
#: As many as an event shows; the rest is on the list's further pages.
SHOWN = 10


def create_feature(world: World, params: JSON) -> JSON:
    """POST /v1/entitlements/features; Stripe sends no event."""
    key = required(params, "lookup_key")
    if any(f["lookup_key"] == key for f in world.all("entitlements.feature").values()):
        raise invalid("A feature with this lookup key exists.", "lookup_key")
    feature: JSON = {
        "id": world.ids.timed("feat_test", world.now),
        "object": "entitlements.feature",
        "active": True,
        "livemode": False,
        "lookup_key": key,
        "metadata": metadata(params),
        "name": required(params, "name"),
    }
    return world.add(feature)


def update_feature(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/entitlements/features/:id."""
    feature = world.get("entitlements.feature", id)
    set_fields(feature, params, "active", "name")
    feature["metadata"] = metadata(params, feature["metadata"])
    return feature


def attach(world: World, product_id: str, params: JSON) -> JSON:
    """POST /v1/products/:id/features: customers who have the product gain the feature."""
    world.get("product", product_id)
    feature_id = required(params, "entitlement_feature")
    feature = world.get("entitlements.feature", feature_id, "entitlement_feature")
    product_feature: JSON = {
        "id": world.ids.timed("prodft", world.now),
        "object": "product_feature",
        "entitlement_feature": dict(feature),
        "livemode": False,
    }
    world.add(product_feature)
    attached = world.facts("features_of_product").setdefault(product_id, [])
    attached.append(product_feature["id"])
    return product_feature


def detach(world: World, product_id: str, id: str, params: JSON) -> JSON:
    """DELETE /v1/products/:id/features/:id."""
    world.get("product", product_id)
    product_feature = world.get("product_feature", id)
    world.facts("features_of_product")[product_id].remove(id)
    return world.remove(product_feature)


def of_product(world: World, product_id: str) -> list[JSON]:
    """The features attached to a product."""
    ids = world.facts("features_of_product").get(product_id, [])
    return [world.get("product_feature", id) for id in ids]


def active(world: World, customer: str) -> list[JSON]:
    """A customer's active entitlements as last computed."""
    found: list[JSON] = world.facts("entitlements").get(customer, [])
    return found


def refresh(world: World, customer: str) -> None:
    """Compute a customer's entitlements afresh; one event if they changed."""
    if not world.facts("features_of_product"):
        return
    before = active(world, customer)
    features = _features(world, customer)
    kept = [e for e in before if e["feature"] in features]
    known = {e["feature"] for e in kept}
    after = kept + [_entitlement(world, f) for id, f in features.items() if id not in known]
    if [e["id"] for e in after] == [e["id"] for e in before]:
        return
    world.facts("entitlements")[customer] = after
    name = "entitlements.active_entitlement_summary.updated"
    world.record(name, _summary(customer, after), {"entitlements": _list(customer, before)})


def _features(world: World, customer: str) -> dict[str, JSON]:
    features: dict[str, JSON] = {}
    for id in world.facts("subscriptions_of").get(customer, []):
        sub = world.get("subscription", id)
        if sub["status"] in ENTITLING:
            for item in sub["items"]["data"]:
                for attached in of_product(world, item["price"]["product"]):
                    feature = attached["entitlement_feature"]
                    features[feature["id"]] = feature
    return features


def _entitlement(world: World, feature: JSON) -> JSON:
    return {
        "id": world.ids.timed("ent_test", world.now),
        "object": "entitlements.active_entitlement",
        "feature": feature["id"],
        "livemode": False,
        "lookup_key": feature["lookup_key"],
    }


def _summary(customer: str, entitlements: list[JSON]) -> JSON:
    return {
        "object": "entitlements.active_entitlement_summary",
        "customer": customer,
        "entitlements": _list(customer, entitlements),
        "livemode": False,
    }


def _list(customer: str, entitlements: list[JSON]) -> JSON:
    shown = entitlements[:SHOWN]
    url = f"/v1/customer/{customer}/entitlements"
    return listing(shown, url, has_more=len(shown) < len(entitlements))
