"""Payment methods, and which of Stripe's test cards does what."""

from stripe_simulator.errors import card_declined, invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: Stripe's test cards by the last four digits: brand and what a charge of them does.
CARDS = {
    "4242": ("visa", "succeeds"),
    "4444": ("mastercard", "succeeds"),
    "8431": ("amex", "succeeds"),
    "0002": ("visa", "generic_decline"),
    "9995": ("visa", "insufficient_funds"),
    "0069": ("visa", "expired_card"),
    "0341": ("visa", "declines_later"),
    "0259": ("visa", "succeeds"),
    "3155": ("visa", "requires_action"),
    "3184": ("visa", "requires_action"),
}

#: Charges of this card succeed and are disputed at once.
DISPUTED = "0259"

#: Stripe's ready-made ids (`pm_card_…` and `tok_…`) by last four digits.
READY_MADE = {
    "visa": "4242",
    "visa_debit": "4242",
    "us": "4242",
    "mastercard": "4444",
    "amex": "8431",
    "chargeDeclined": "0002",
    "visa_chargeDeclined": "0002",
    "chargeDeclinedInsufficientFunds": "9995",
    "chargeDeclinedExpiredCard": "0069",
    "chargeCustomerFail": "0341",
    "authenticationRequired": "3184",
    "authenticationRequiredOnSetup": "3155",
    "threeDSecure2Required": "3155",
    "threeDSecureRequired": "3155",
    "bypassPending": "4242",
    "createDispute": DISPUTED,
    "createDisputeInquiry": DISPUTED,
}


def create(world: World, params: JSON) -> JSON:
    """POST /v1/payment_methods: a card or a SEPA debit account; Stripe sends no event."""
    kind = required(params, "type")
    if kind == "sepa_debit":
        iban = str(required(params.get("sepa_debit") or {}, "iban"))
        method = _method(world, kind, {"sepa_debit": _sepa(world, iban[-4:])})
    elif kind == "card":
        given = params.get("card") or {}
        number = given.get("number") or "4242"
        last4 = _ready_made(given["token"]) if given.get("token") else str(number)[-4:]
        method = _method(world, kind, {"card": _card(world, last4 or "4242")})
    else:
        raise invalid(f"The simulator has no payment method type {kind}.", "type")
    method["billing_details"] |= params.get("billing_details") or {}
    method["metadata"] = metadata(params)
    return world.add(method)


def card(world: World, last4: str) -> JSON:
    """A new card with the given last digits."""
    return create(world, {"type": "card", "card": {"number": last4}})


def resolve(world: World, id: str, param: str = "payment_method") -> JSON:
    """Return a payment method; a ready-made id becomes a new one."""
    last4 = _ready_made(id)
    if last4:
        return card(world, last4)
    return world.get("payment_method", id, param)


def must_exist(world: World, id: str) -> None:
    """Raise resource_missing for an id that is neither kept nor ready-made."""
    if _ready_made(id) is None:
        world.get("payment_method", id, "payment_method")


def retrieve(world: World, id: str, params: JSON) -> JSON:
    """GET /v1/payment_methods/:id."""
    return world.get("payment_method", id) if _ready_made(id) is None else resolve(world, id)


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payment_methods/:id."""
    method = world.get("payment_method", id)
    with world.change(method, "payment_method.updated"):
        set_fields(method["billing_details"], params.get("billing_details") or {}, "email", "name")
        set_fields(method, params, "allow_redisplay")
        method["metadata"] = metadata(params, method["metadata"])
        given = params.get("card") or {}
        set_fields(method.get("card", {}), given, "exp_month", "exp_year")
    return method


def attach(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payment_methods/:id/attach; a card that always declines is refused."""
    customer = world.get("customer", required(params, "customer"), "customer")
    method = resolve(world, id, "id")
    if method["customer"] == customer["id"]:
        return method
    what = behaviour(method)
    if what not in ("succeeds", "declines_later", "requires_action", "processing"):
        raise card_declined(what)
    method["customer"] = customer["id"]
    world.record("payment_method.attached", method)
    return method


def detach(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payment_methods/:id/detach; the event's previous_attributes name the customer."""
    method = world.get("payment_method", id)
    if method["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer.", "id")
    customer = world.find("customer", method["customer"])
    with world.change(method, "payment_method.detached"):
        method["customer"] = None
    settings = customer["invoice_settings"] if customer else {}
    if customer and settings.get("default_payment_method") == id:
        with world.change(customer, "customer.updated"):
            settings["default_payment_method"] = None
    return method


def behaviour(method: JSON) -> str:
    """Return succeeds, declines_later, requires_action, processing or a decline code."""
    if method["type"] != "card":
        return "processing"
    return CARDS.get(method["card"]["last4"], ("visa", "succeeds"))[1]


def of_customer(world: World, id: str, params: JSON) -> list[JSON]:
    """The payment methods attached to a customer, oldest first."""
    world.get("customer", id)
    wanted = optional(params, "type")
    found = world.of_customer("payment_method", id)
    return [method for method in found if wanted in (None, method["type"])]


def _ready_made(id: str) -> str | None:
    for prefix in ("pm_card_", "tok_"):
        if id.startswith(prefix):
            return READY_MADE.get(id.removeprefix(prefix), "4242")
    return None


def _method(world: World, kind: str, details: JSON) -> JSON:
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "id": world.ids.timed("pm", world.now),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": address,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "created": world.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    } | details


def _card(world: World, last4: str) -> JSON:
    brand = CARDS.get(last4, ("visa", ""))[0]
    checks = ("address_line1_check", "address_postal_code_check")
    return {
        "brand": brand,
        "checks": dict.fromkeys(checks) | {"cvc_check": "pass"},
        "country": "US",
        "display_brand": brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": world.ids.letters(16),
        "funding": "credit",
        "generated_from": None,
        "last4": last4,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _sepa(world: World, last4: str) -> JSON:
    return {
        "bank_code": "37040044",
        "branch_code": "",
        "country": "DE",
        "fingerprint": world.ids.letters(16),
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": last4,
    }
