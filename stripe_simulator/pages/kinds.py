"""The kinds of objects on the pages: their titles, and one line about an object."""

from collections.abc import Callable
from dataclasses import dataclass

from stripe_simulator.pages.layout import date, money
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

Describe = Callable[[World, JSON], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object."""

    #: `object` of Stripe's objects.
    name: str
    title: str
    describe: Describe


def _customer(world: World, customer: JSON) -> str:
    return ", ".join(filter(None, (customer["name"], customer["email"])))


def _subscription(world: World, sub: JSON) -> str:
    item = sub["items"]["data"][0]
    product = world.find("product", item["price"]["product"]) or {"name": item["price"]["id"]}
    end = sub["ended_at"] or sub["cancel_at"]
    verb = "ended" if sub["ended_at"] else "ends" if sub["cancel_at"] else "until"
    paused = ", collection is paused" if sub["pause_collection"] else ""
    return (
        f"{item.get('quantity') or 1} x {product['name']}: {sub['status']}, {verb} "
        f"{date(end or item['current_period_end'])}{paused}"
    )


def _invoice(world: World, invoice: JSON) -> str:
    total = money(invoice["total"], invoice["currency"])
    return f"{invoice['number'] or 'no number yet'}: {total}, {invoice['status']}"


def _amount(world: World, obj: JSON) -> str:
    return f"{money(obj['amount'], obj['currency'])}, {obj['status']}"


def _charge(world: World, charge: JSON) -> str:
    back = charge["amount_refunded"]
    refunded = f", {money(back, charge['currency'])} refunded" if back else ""
    return _amount(world, charge) + refunded + (", disputed" if charge["disputed"] else "")


def _session(world: World, session: JSON) -> str:
    return f"{session['mode']}, {session['status']}"


def _product(world: World, product: JSON) -> str:
    return str(product["name"]) + ("" if product["active"] else ", archived")


def _price(world: World, price: JSON) -> str:
    product = world.find("product", price["product"]) or {"name": ""}
    every = f" per {price['recurring']['interval']}" if price["recurring"] else ""
    amount = money(price["unit_amount"], price["currency"]) if price["unit_amount"] else ""
    archived = "" if price["active"] else ", archived"
    return f"{product['name']}: {amount}{every} {price['lookup_key'] or ''}{archived}".strip()


#: In the order of the pages' navigation.
KINDS = (
    Kind("customer", "Customers", _customer),
    Kind("subscription", "Subscriptions", _subscription),
    Kind("invoice", "Invoices", _invoice),
    Kind("charge", "Payments", _charge),
    Kind("payment_intent", "Payment intents", _amount),
    Kind("refund", "Refunds", _amount),
    Kind("dispute", "Disputes", _amount),
    Kind("checkout.session", "Checkout Sessions", _session),
    Kind("product", "Products", _product),
    Kind("price", "Prices", _price),
    Kind("payout", "Payouts", _amount),
)


def find_kind(name: str) -> Kind:
    """Return the kind; one without a line of its own shows nothing."""
    found = (kind for kind in KINDS if kind.name == name)
    return next(found, Kind(name, name, lambda world, obj: ""))


def locate(kind: str, id: str = "") -> str:
    """Return the path of an object's page, or of a kind's list."""
    return f"/objects/{kind}/{id}".rstrip("/")
