"""Tax ids of customers, and how their verification ends."""

from stripe_simulator.errors import missing_object
from stripe_simulator.parameters import required
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, customer_id: str, params: JSON) -> JSON:
    """POST /v1/customers/:id/tax_ids: verification is pending at first."""
    world.get("customer", customer_id)
    kind = required(params, "type")
    tax_id: JSON = {
        "id": world.ids.timed("txi", world.now),
        "object": "tax_id",
        "country": "DE" if kind == "eu_vat" else kind[:2].upper(),
        "created": world.now,
        "customer": customer_id,
        "customer_account": None,
        "livemode": False,
        "owner": {"customer": customer_id, "customer_account": None, "type": "customer"},
        "type": kind,
        "value": required(params, "value"),
        "verification": {"status": "pending", "verified_address": None, "verified_name": None},
    }
    world.add(tax_id)
    world.record("customer.tax_id.created", tax_id)
    return tax_id


def verify(world: World, id: str, status: str = "verified") -> JSON:
    """The authority answers: verified or unverified."""
    tax_id = world.get("tax_id", id)
    name = "SIMULATED LTD" if status == "verified" else None
    with world.change(tax_id, "customer.tax_id.updated"):
        tax_id["verification"] |= {"status": status, "verified_name": name}
    return tax_id


def retrieve(world: World, customer_id: str, id: str, params: JSON) -> JSON:
    """GET /v1/customers/:id/tax_ids/:id."""
    tax_id = world.get("tax_id", id)
    if tax_id["customer"] != customer_id:
        raise missing_object("tax_id", id)
    return tax_id


def delete(world: World, customer_id: str, id: str, params: JSON) -> JSON:
    """DELETE /v1/customers/:id/tax_ids/:id."""
    tax_id = retrieve(world, customer_id, id, params)
    world.record("customer.tax_id.deleted", tax_id)
    return world.remove(tax_id)
