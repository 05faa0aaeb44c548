"""Tax rates, and the tax on an invoice's lines."""

from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources.object_update import update_object
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

FIELDS = ("country", "description", "jurisdiction", "state", "tax_type")


def create(world: World, params: JSON) -> JSON:
    """POST /v1/tax_rates."""
    tax_rate: JSON = {
        "id": world.ids.timed("txr", world.now),
        "object": "tax_rate",
        "active": optional(params, "active", True),
        "created": world.now,
        "display_name": required(params, "display_name"),
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": required(params, "inclusive"),
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": metadata(params),
        "percentage": required(params, "percentage"),
        "rate_type": "percentage",
    }
    tax_rate |= dict.fromkeys(FIELDS)
    set_fields(tax_rate, params, *FIELDS)
    world.add(tax_rate)
    world.record("tax_rate.created", tax_rate)
    return tax_rate


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/tax_rates/:id."""
    return update_object(world, "tax_rate", id, params, "active", "display_name", *FIELDS)


def resolve(world: World, ids: list[str] | None) -> list[JSON]:
    """Return copies of the rates that ids name, as subscriptions and invoices carry them."""
    return [dict(world.get("tax_rate", id, "tax_rates")) for id in ids or []]


def of_lines(world: World, invoice: JSON, lines: list[JSON], off: int = 0) -> list[JSON]:
    """Compute each default rate's tax on the lines' sum, less what discounts take off."""
    taxable = sum(line["amount"] for line in lines) - off
    return [_tax(rate, taxable) for rate in invoice["default_tax_rates"] if taxable > 0]


def _tax(rate: JSON, taxable: int) -> JSON:
    share = rate["percentage"] / 100
    amount = taxable * share / (1 + share) if rate["inclusive"] else taxable * share
    return {
        "amount": round(amount),
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }
