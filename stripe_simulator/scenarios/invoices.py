"""Scenarios of an invoice: it becomes final, is paid, fails, or is given up."""

from stripe_simulator.resources import billing
from stripe_simulator.scenarios.scenario import Fields, Fits, call, scenario
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

_INVOICE = "invoice"


def _has(*statuses: str) -> Fits:
    return lambda invoice: invoice["status"] in statuses


def _is_owed(invoice: JSON) -> bool:
    return invoice["status"] == "open" and bool(invoice["amount_due"])


def _post(world: World, invoice: JSON, verb: str, **params: object) -> None:
    call(world, "POST", f"/v1/invoices/{invoice['id']}/{verb}", params)


@scenario(_INVOICE, "Finalize", _has("draft"))
def finalize(world: World, invoice: JSON, fields: Fields) -> None:
    """The draft gets its number, and is charged when the clock moves."""
    _post(world, invoice, "finalize")


@scenario(_INVOICE, "Pay with a card that works", _has("open", "uncollectible"))
def pay(world: World, invoice: JSON, fields: Fields) -> None:
    """The customer pays; a past due subscription is active again."""
    _post(world, invoice, "pay", payment_method="pm_card_visa")


@scenario(_INVOICE, "Pay by bank transfer", _has("open", "uncollectible"))
def pay_out_of_band(world: World, invoice: JSON, fields: Fields) -> None:
    """The seller records a payment that Stripe does not know."""
    _post(world, invoice, "pay", paid_out_of_band=True)


@scenario(_INVOICE, "Let a payment fail", _is_owed)
def fail_payment(world: World, invoice: JSON, fields: Fields) -> None:
    """An attempt with a card that declines."""
    path = "/v1/payment_methods/pm_card_chargeCustomerFail/attach"
    method = call(world, "POST", path, {"customer": invoice["customer"]})
    billing.pay(world, invoice, method)


@scenario(_INVOICE, "Void", _has("open", "uncollectible"))
def void(world: World, invoice: JSON, fields: Fields) -> None:
    """The invoice was a mistake."""
    _post(world, invoice, "void")


@scenario(_INVOICE, "Mark as uncollectible", _has("open"))
def give_up(world: World, invoice: JSON, fields: Fields) -> None:
    """A bad debt."""
    _post(world, invoice, "mark_uncollectible")
