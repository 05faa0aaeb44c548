"""Payment intents: one payment through all its attempts."""

from typing import Any

from stripe_simulator.errors import decline_message, invalid
from stripe_simulator.parameters import metadata, optional, required, set_fields
from stripe_simulator.resources import charges, disputes, payment_methods
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create(world: World, params: JSON) -> JSON:
    """POST /v1/payment_intents without its `confirm`; records payment_intent.created."""
    if "payment_method_types" in params:
        raise refused_payment_method_types()
    intent = _intent(world, params)
    if params.get("payment_method"):
        intent["payment_method"] = payment_methods.resolve(world, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    intent["client_secret"] = f"{intent['id']}_secret_{world.ids.letters(25)}"
    world.add(intent)
    world.record("payment_intent.created", intent)
    return intent


def refused_payment_method_types() -> Exception:
    """Since endive Stripe refuses the parameter on create."""
    return invalid(
        "The payment_method_types parameter is no longer accepted here.",
        "payment_method_types",
        "parameter_unknown",
    )


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payment_intents/:id; Stripe sends no event."""
    intent = world.get("payment_intent", id)
    if params.get("payment_method"):
        intent["payment_method"] = payment_methods.resolve(world, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    set_fields(intent, params, "amount", "description", "receipt_email", "customer")
    intent["metadata"] = metadata(params, intent["metadata"])
    return intent


def attempt(world: World, intent: JSON, method: JSON, present: bool = False) -> str:
    """Try to charge a method once; returns the intent's new status.

    A customer who is present passes the bank's check, and the card that declines later is good.
    """
    if intent["status"] not in OPEN:
        raise unexpected_state(intent)
    intent["payment_method"] = method["id"]
    intent["next_action"] = None
    what = payment_methods.behaviour(method)
    if what == "succeeds" or (present and what in ("requires_action", "declines_later")):
        return _succeed(world, intent, method)
    if what == "requires_action":
        return _require_action(world, intent)
    if what == "processing":
        return _process(world, intent, method)
    return fail(world, intent, method, what)


def fail(world: World, intent: JSON, method: JSON, decline_code: str) -> str:
    """Record a declined attempt; the intent asks for another payment method."""
    charge = charges.build(world, intent, method, "failed")
    message = decline_message(decline_code)
    charge |= {"failure_code": "card_declined", "failure_message": message}
    world.record("charge.failed", charge)
    intent["latest_charge"] = charge["id"]
    _asks_again(world, intent, method, decline_code)
    return str(intent["status"])


def finish(world: World, intent: JSON, succeeded: bool) -> None:
    """End the processing of a delayed payment method."""
    if intent["status"] != "processing":
        raise unexpected_state(intent)
    charge = world.get("charge", intent["latest_charge"])
    charges.finish(world, charge, succeeded)
    method = world.get("payment_method", intent["payment_method"])
    if succeeded:
        _received(world, intent, charge)
    else:
        _asks_again(world, intent, method, "generic_decline")


def cancel(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/payment_intents/:id/cancel."""
    intent = world.get("payment_intent", id)
    if intent["status"] not in (*OPEN, "requires_capture"):
        raise unexpected_state(intent)
    for session, declined in world.facts("declined").items():
        if declined == id and world.get("checkout.session", session)["status"] == "open":
            raise invalid("Checkout still uses this PaymentIntent: expire its session instead.")
    intent |= {
        "status": "canceled",
        "canceled_at": world.now,
        "cancellation_reason": optional(params, "cancellation_reason"),
        "next_action": None,
    }
    world.record("payment_intent.canceled", intent)
    return intent


def unexpected_state(intent: JSON) -> Exception:
    """The intent's status does not allow this."""
    return invalid(
        f"This PaymentIntent's status is {intent['status']}, which does not allow this.",
        code="payment_intent_unexpected_state",
    )


def _succeed(world: World, intent: JSON, method: JSON) -> str:
    charge = charges.build(world, intent, method, "succeeded")
    world.record("charge.succeeded", charge)
    return _received(world, intent, charge)


def _received(world: World, intent: JSON, charge: JSON) -> str:
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
    }
    world.record("payment_intent.succeeded", intent)
    charges.settle(world, charge)
    method = world.get("payment_method", intent["payment_method"])
    if method.get("card", {}).get("last4") == payment_methods.DISPUTED:
        disputes.open(world, charge["id"])
    return "succeeded"


def _require_action(world: World, intent: JSON) -> str:
    url = f"{world.settings.public_url}/c/authenticate/{intent['id']}"
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "redirect_to_url": {"return_url": None, "url": url},
        "type": "redirect_to_url",
    }
    world.record("payment_intent.requires_action", intent)
    return "requires_action"


def _process(world: World, intent: JSON, method: JSON) -> str:
    charge = charges.build(world, intent, method, "pending")
    intent |= {"status": "processing", "latest_charge": charge["id"]}
    world.record("payment_intent.processing", intent)
    world.record("charge.pending", charge)
    return "processing"


def _asks_again(world: World, intent: JSON, method: JSON, decline_code: str) -> None:
    code = "generic_decline" if decline_code == "declines_later" else decline_code
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["last_payment_error"] = {
        "charge": intent["latest_charge"],
        "code": "card_declined",
        "decline_code": code,
        "message": decline_message(code),
        "payment_method": dict(method),
        "type": "card_error",
    }
    world.record("payment_intent.payment_failed", intent)


def _intent(world: World, params: JSON) -> JSON:
    automatic: Any = params.get("automatic_payment_methods") or {"enabled": True}
    nothing = (
        "application",
        "application_fee_amount",
        "canceled_at",
        "cancellation_reason",
        "customer_account",
        "excluded_payment_method_types",
        "last_payment_error",
        "latest_charge",
        "next_action",
        "on_behalf_of",
        "payment_method",
        "payment_method_configuration_details",
        "processing",
        "review",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "transfer_group",
    )
    intent: JSON = dict.fromkeys(nothing) | {
        "id": world.ids.timed("pi", world.now, "3"),
        "object": "payment_intent",
        "amount": required(params, "amount"),
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": {"allow_redirects": "always"} | automatic,
        "capture_method": optional(params, "capture_method", "automatic_async"),
        "confirmation_method": optional(params, "confirmation_method", "automatic"),
        "created": world.now,
        "currency": required(params, "currency").lower(),
        "customer": optional(params, "customer"),
        "description": optional(params, "description"),
        "livemode": False,
        "metadata": metadata(params),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "link"],
        "receipt_email": optional(params, "receipt_email"),
        "setup_future_usage": optional(params, "setup_future_usage"),
        "shipping": optional(params, "shipping"),
        "status": "requires_payment_method",
    }
    if intent["customer"]:
        world.get("customer", intent["customer"], "customer")
    return intent
