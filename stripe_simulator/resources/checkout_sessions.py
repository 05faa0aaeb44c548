"""Checkout Sessions: made by the seller, open for a day, completed or expired once."""

from typing import Any

from stripe_simulator.agenda import on_due
from stripe_simulator.errors import invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources import (
    checkout_rules,
    line_items,
    payment_intents,
    redemptions,
    subscriptions,
)
from stripe_simulator.settings import DAY
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

#: The least that can be charged, in some currencies' smallest units.
LEAST = {"chf": 50, "eur": 50, "gbp": 30, "jpy": 50, "usd": 50}
#: Parameters that are needed only at completion, kept beside the session.
KEPT = ("subscription_data", "payment_intent_data", "setup_intent_data", "customer_update")


def create(world: World, params: JSON) -> JSON:
    """POST /v1/checkout/sessions; Stripe sends no event."""
    _refuse(world, params)
    session = _session(world, params)
    given = optional(params, "line_items", [])
    items = [line_items.build(world, item, place) for place, item in enumerate(given)]
    _check_items(session["mode"], items)
    checkout_rules.check_items(session["mode"], items)
    world.facts("line_items")[session["id"]] = items
    world.facts("checkout")[session["id"]] = {k: params[k] for k in KEPT if k in params}
    session["currency"] = _currency(session, items, params)
    session["discounts"] = _discounts(world, params, session["mode"], items)
    total_up(world, session)
    _refuse_amount(session)
    checkout_rules.check_amount(session)
    if session["mode"] == "subscription" and session["customer"]:
        subscriptions.refuse_other_currency(world, session["customer"], session["currency"])
    _place(world, session, params)
    world.clock.at(session["expires_at"], "expire_session", session["id"])
    return world.add(session)


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/checkout/sessions/:id."""
    session = world.get("checkout.session", id)
    session["metadata"] = metadata(params, session["metadata"])
    return session


def expire(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/checkout/sessions/:id/expire: checkout.session.expired."""
    session = world.get("checkout.session", id)
    if session["status"] != "open":
        raise invalid(
            f"Only Checkout Sessions with a status in open can be expired; {id} is "
            f"{session['status']}.",
            "session",
        )
    session |= {"status": "expired", "url": None, "client_secret": None}
    world.record("checkout.session.expired", session)
    return session


@on_due("expire_session")
def expire_when_due(world: World, id: str) -> None:
    """A session that was not completed in time."""
    session = world.find("checkout.session", id)
    if session is not None and session["status"] == "open":
        expire(world, id, {})


def total_up(world: World, session: JSON) -> None:
    """Compute the session's amounts from its line items."""
    if session["mode"] == "setup":
        return
    items = line_items.of_session(world, session["id"])
    data = world.facts("checkout")[session["id"]].get("subscription_data") or {}
    trial = bool(data.get("trial_period_days") or data.get("trial_end"))
    line_items.total_up(world, items, session["discounts"] or [], trial)
    session["amount_subtotal"] = sum(item["amount_subtotal"] for item in items)
    session["amount_total"] = sum(item["amount_total"] for item in items)
    session["total_details"] = {
        "amount_discount": sum(item["amount_discount"] for item in items),
        "amount_shipping": 0,
        "amount_tax": 0,
    }


def _refuse(world: World, params: JSON) -> None:
    if "payment_method_types" in params:
        raise payment_intents.refused_payment_method_types()
    hosted = optional(params, "ui_mode", "hosted_page") == "hosted_page"
    if hosted and not params.get("success_url"):
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    checkout_rules.check(params)
    if params.get("discounts") and params.get("allow_promotion_codes"):
        raise invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts."
        )
    if params.get("customer"):
        world.get("customer", params["customer"], "customer")
    _refuse_expiry(world, optional(params, "expires_at"))


def _refuse_expiry(world: World, expires_at: int | None) -> None:
    if expires_at is None:
        return
    if not world.now + 1_800 - 60 <= expires_at <= world.now + DAY + 60:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            "expires_at",
        )


def _check_items(mode: str, items: list[JSON]) -> None:
    if mode == "setup":
        return
    if not items:
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    recurring = [item for item in items if item["price"]["type"] == "recurring"]
    if mode == "payment" and recurring:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            "line_items",
        )
    if mode == "subscription" and not recurring:
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode.", "line_items"
        )


def _currency(session: JSON, items: list[JSON], params: JSON) -> str | None:
    if items:
        return str(items[0]["currency"])
    currency: str | None = optional(params, "currency")
    return currency


def _discounts(world: World, params: JSON, mode: str, items: list[JSON]) -> list[JSON] | None:
    if mode == "setup":
        return None
    given = optional(params, "discounts", [])
    for source in given:
        purchase = line_items.purchase_of(world, params.get("customer"), items)
        redemptions.check(world, source, purchase)
    keys = ("coupon", "promotion_code")
    return [{key: source.get(key) for key in keys} for source in given]


def _refuse_amount(session: JSON) -> None:
    least = LEAST.get(session["currency"] or "", 0)
    if 0 < (session["amount_total"] or 0) < least:
        message = f"The Checkout Session's total amount must be at least {least}."
        raise invalid(message, code="amount_too_small")


def _place(world: World, session: JSON, params: JSON) -> None:
    """Say where the customer goes: a hosted page, or a form on the seller's own page."""
    if session["ui_mode"] == "hosted_page":
        session["url"] = f"{world.settings.public_url}/c/pay/{session['id']}"
        return
    session["client_secret"] = f"{session['id']}_secret_{world.ids.letters(40)}"
    session["redirect_on_completion"] = optional(params, "redirect_on_completion", "always")
    if session["redirect_on_completion"] != "never":
        session["return_url"] = required(params, "return_url")


def _session(world: World, params: JSON) -> JSON:
    mode = required(params, "mode")
    automatic = bool((params.get("automatic_tax") or {}).get("enabled"))
    session: JSON = dict.fromkeys(NOTHING) | {
        "id": f"cs_test_a1{world.ids.letters(56)}",
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": mode == "payment"},
        "automatic_tax": {
            "enabled": automatic,
            "liability": {"type": "self"} if automatic else None,
            "provider": "stripe" if automatic else None,
            "status": "complete" if automatic else None,
        },
        "created": world.now,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "customer_creation": _customer_creation(mode, params),
        "expires_at": optional(params, "expires_at", world.now + DAY),
        "livemode": False,
        "metadata": metadata(params),
        "mode": mode,
        "payment_method_collection": _collection(mode, params),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "phone_number_collection": _enabled(params, "phone_number_collection"),
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": optional(params, "ui_mode", "hosted_page"),
    }
    set_fields(session, params, *COPIED)
    _switches(session, params, mode)
    return session


def _switches(session: JSON, params: JSON, mode: str) -> None:
    if params.get("tax_id_collection"):
        required = params["tax_id_collection"].get("required", "never")
        enabled = _enabled(params, "tax_id_collection")
        session["tax_id_collection"] = enabled | {"required": required}
    if mode == "payment":
        invoice_data = dict.fromkeys(
            ("account_tax_ids", "custom_fields", "description", "footer", "issuer")
        )
        given = (params.get("invoice_creation") or {}).get("invoice_data") or {}
        session["invoice_creation"] = _enabled(params, "invoice_creation") | {
            "invoice_data": invoice_data
            | {"metadata": given.get("metadata") or {}, "rendering_options": None}
        }
    email = params.get("customer_email")
    if email:
        session["customer_details"] = _details(email)


def _details(email: str | None) -> JSON:
    nothing = ("address", "business_name", "individual_name", "name", "phone", "tax_ids")
    return dict.fromkeys(nothing) | {"email": email, "tax_exempt": "none"}


def _enabled(params: JSON, name: str) -> JSON:
    return {"enabled": bool((params.get(name) or {}).get("enabled"))}


def _customer_creation(mode: str, params: JSON) -> Any:
    if params.get("customer"):
        return None
    default = "always" if mode == "subscription" else "if_required"
    return optional(params, "customer_creation", default)


def _collection(mode: str, params: JSON) -> Any:
    default = "if_required" if mode == "payment" else "always"
    return optional(params, "payment_method_collection", default)


COPIED = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "locale",
    "submit_type",
    "success_url",
)

NOTHING = (
    *COPIED,
    "after_expiration",
    "amount_subtotal",
    "amount_total",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency",
    "currency_conversion",
    "customer_account",
    "customer_details",
    "discounts",
    "invoice",
    "invoice_creation",
    "managed_payments",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
    "url",
    "wallet_options",
)
