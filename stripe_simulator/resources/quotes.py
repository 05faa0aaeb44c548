"""Quotes: an offer to one customer, which makes a subscription, a schedule or an invoice."""

from typing import Any

from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required
from stripe_simulator.resources import (
    invoice_requests,
    line_items,
    subscription_schedules,
    subscriptions,
)
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/quotes: a draft."""
    customer = optional(params, "customer")
    if customer:
        world.get("customer", customer, "customer")
    given = required(params, "line_items")
    items = [line_items.build(world, item) for item in given]
    line_items.total_up(world, items, [], trial=False)
    quote = _shape(world, params, items)
    world.facts("quote_items")[quote["id"]] = items
    world.add(quote)
    world.record("quote.created", quote)
    return quote


def finalize(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/quotes/:id/finalize: the customer may accept it from now on."""
    quote = _in_status(world, id, "draft")
    if not quote["customer"]:
        raise invalid("A quote needs a customer before it is finalized.", "customer")
    quote |= {"status": "open", "number": f"QT-{world.ids.letters(8).upper()}-0001-1"}
    quote["expires_at"] = optional(params, "expires_at", quote["expires_at"])
    quote["status_transitions"]["finalized_at"] = world.now
    world.record("quote.finalized", quote)
    return quote


def accept(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/quotes/:id/accept: what it offers begins, now or on its effective date."""
    quote = _in_status(world, id, "open")
    if quote["computed"]["recurring"]:
        _begin(world, quote)
    else:
        quote["invoice"] = _bill(world, quote)
    quote["status"] = "accepted"
    quote["status_transitions"]["accepted_at"] = world.now
    world.record("quote.accepted", quote)
    return quote


def cancel(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/quotes/:id/cancel."""
    quote = _in_status(world, id, "draft", "open")
    quote["status"] = "canceled"
    quote["status_transitions"]["canceled_at"] = world.now
    world.record("quote.canceled", quote)
    return quote


def items_of(world: World, id: str) -> list[JSON]:
    """A quote's line items."""
    world.get("quote", id)
    found: list[JSON] = world.facts("quote_items")[id]
    return found


def _in_status(world: World, id: str, *statuses: str) -> JSON:
    quote = world.get("quote", id)
    if quote["status"] not in statuses:
        raise invalid(f"This quote is {quote['status']}.", "quote")
    return quote


def _begin(world: World, quote: JSON) -> None:
    items = [
        {"price": item["price"]["id"], "quantity": item["quantity"]}
        for item in items_of(world, quote["id"])
    ]
    begins = quote["subscription_data"]["effective_date"]
    params: JSON = {"customer": quote["customer"]}
    if begins and begins > world.now:
        params |= {"start_date": begins, "end_behavior": "release", "phases": [{"items": items}]}
        quote["subscription_schedule"] = subscription_schedules.create(world, params)["id"]
        return
    params |= {"items": items, "collection_method": quote["collection_method"]}
    if quote["collection_method"] == "send_invoice":
        params["days_until_due"] = 30
    quote["subscription"] = subscriptions.create(world, params)["id"]


def _bill(world: World, quote: JSON) -> str:
    for item in items_of(world, quote["id"]):
        given = {"pricing": {"price": item["price"]["id"]}, "quantity": item["quantity"]}
        invoice_requests.create_item(world, given | {"customer": quote["customer"]})
    params = {
        "customer": quote["customer"],
        "auto_advance": True,
        "currency": quote["currency"],
        "pending_invoice_items_behavior": "include",
    }
    invoice = invoice_requests.create(world, params)
    invoice["billing_reason"] = "quote_accept"
    return str(invoice["id"])


def _shape(world: World, params: JSON, items: list[JSON]) -> JSON:
    total = sum(item["amount_total"] for item in items)
    recurring = [item for item in items if item["price"]["type"] == "recurring"]
    given = params.get("subscription_data") or {}
    begins = given.get("effective_date")
    return dict.fromkeys(NOTHING) | {
        "id": world.ids.plain("qt", 24),
        "object": "quote",
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "collection_method": optional(params, "collection_method", "charge_automatically"),
        "computed": {"recurring": _recurring(recurring), "upfront": _amounts(items)},
        "created": world.now,
        "currency": items[0]["currency"],
        "customer": optional(params, "customer"),
        "default_tax_rates": [],
        "description": optional(params, "description"),
        "discounts": [],
        "expires_at": optional(params, "expires_at", world.now + 30 * DAY),
        "invoice_settings": {"days_until_due": None, "issuer": {"type": "self"}},
        "livemode": False,
        "metadata": metadata(params),
        "status": "draft",
        "status_transitions": dict.fromkeys(("accepted_at", "canceled_at", "finalized_at")),
        "subscription_data": {
            "billing_mode": {"type": "flexible"},
            "description": None,
            "effective_date": _moment(world, begins),
            "metadata": given.get("metadata"),
            "trial_period_days": None,
        },
        "total_details": _no_details(),
    }


def _moment(world: World, given: Any) -> int | None:
    if given in (None, ""):
        return None
    return world.now if given == "current_period_end" else int(given)


def _recurring(items: list[JSON]) -> JSON | None:
    if not items:
        return None
    terms = items[0]["price"]["recurring"]
    named = {name: terms[name] for name in ("interval", "interval_count")}
    return _amounts(items) | named


def _amounts(items: list[JSON]) -> JSON:
    total = sum(item["amount_total"] for item in items)
    amounts = {"amount_subtotal": total, "amount_total": total}
    return amounts | {"total_details": _no_details()}


def _no_details() -> dict[str, Any]:
    return {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}


NOTHING = (
    "application",
    "application_fee_amount",
    "application_fee_percent",
    "customer_account",
    "footer",
    "from_quote",
    "header",
    "invoice",
    "number",
    "on_behalf_of",
    "subscription",
    "subscription_schedule",
    "test_clock",
    "transfer_data",
)
