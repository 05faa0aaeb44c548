"""Setup intents: keep a payment method for later."""

from stripe_simulator.errors import card_declined, decline_message, invalid
from stripe_simulator.parameters import metadata, optional
from stripe_simulator.resources import payment_methods
from stripe_simulator.resources.payment_intents import refused_payment_method_types
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


def create(world: World, params: JSON) -> JSON:
    """POST /v1/setup_intents, with `confirm`."""
    if "payment_method_types" in params:
        raise refused_payment_method_types()
    intent = _intent(world, params)
    intent["client_secret"] = f"{intent['id']}_secret_{world.ids.letters(25)}"
    world.add(intent)
    world.record("setup_intent.created", intent)
    if params.get("confirm"):
        return confirm(world, intent["id"], params)
    return intent


def update(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/setup_intents/:id; Stripe sends no event."""
    intent = world.get("setup_intent", id)
    intent["metadata"] = metadata(params, intent["metadata"])
    intent["description"] = optional(params, "description", intent["description"])
    return intent


def confirm(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/setup_intents/:id/confirm."""
    intent = world.get("setup_intent", id)
    if intent["status"] in ("succeeded", "canceled"):
        raise invalid(
            f"This SetupIntent is {intent['status']}.", code="setup_intent_unexpected_state"
        )
    method_id = optional(params, "payment_method") or intent["payment_method"]
    if not method_id:
        raise invalid("You must provide a payment_method.", "payment_method")
    method = payment_methods.resolve(world, method_id)
    what = payment_methods.behaviour(method)
    if what in ("succeeds", "declines_later", "requires_action", "processing"):
        return _succeed(world, intent, method)
    intent["last_setup_error"] = {
        "code": "card_declined",
        "decline_code": what,
        "message": decline_message(what),
        "type": "card_error",
    }
    world.record("setup_intent.setup_failed", intent)
    raise card_declined(what)


def cancel(world: World, id: str, params: JSON) -> JSON:
    """POST /v1/setup_intents/:id/cancel."""
    intent = world.get("setup_intent", id)
    if intent["status"] in ("succeeded", "canceled"):
        raise invalid(
            f"This SetupIntent is {intent['status']}.", code="setup_intent_unexpected_state"
        )
    intent["status"] = "canceled"
    intent["cancellation_reason"] = optional(params, "cancellation_reason")
    world.record("setup_intent.canceled", intent)
    return intent


def _succeed(world: World, intent: JSON, method: JSON) -> JSON:
    if intent["customer"]:
        payment_methods.attach(world, method["id"], {"customer": intent["customer"]})
    intent |= {"status": "succeeded", "payment_method": method["id"], "last_setup_error": None}
    world.record("setup_intent.succeeded", intent)
    return intent


def _intent(world: World, params: JSON) -> JSON:
    method = optional(params, "payment_method")
    if optional(params, "customer"):
        world.get("customer", params["customer"], "customer")
    return {
        "id": world.ids.timed("seti", world.now),
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "cancellation_reason": None,
        "client_secret": None,
        "created": world.now,
        "customer": optional(params, "customer"),
        "customer_account": None,
        "description": optional(params, "description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": metadata(params),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": payment_methods.resolve(world, method)["id"] if method else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", "link"],
        "single_use_mandate": None,
        "status": "requires_confirmation" if method else "requires_payment_method",
        "usage": optional(params, "usage", "off_session"),
    }
