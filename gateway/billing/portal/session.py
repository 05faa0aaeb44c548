"""Sessions of Stripe's customer portal, for one customer and optionally one page (flow)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import stripe

from gateway.billing.subscriptions.item_change import ItemChange
from gateway.billing.subscriptions.state_checks import (
    require_changeable,
    require_settled,
    require_unplanned,
)
from gateway.billing.subscriptions.subscription import CustomerSubscription, conflict
from gateway.customers.mark_deleted import CustomerGone
from gateway.errors import StripeRefused, invalid_field
from gateway.stripe_api import translate_errors

if TYPE_CHECKING:
    from stripe.params.billing_portal import SessionCreateParams, SessionCreateParamsFlowData


async def create_portal_session(
    client: stripe.StripeClient,
    customer: str,
    return_url: str,
    *,
    configuration: str = "",
    flow: "SessionCreateParamsFlowData | None" = None,
) -> str:
    """Return the address of a portal session, which Stripe expires after a few minutes.

    Args:
        configuration: the id of a portal configuration, "" for Stripe's default.
        flow: the page to open, None for the home page.

    Raises:
        CustomerGone: the customer was deleted at Stripe.
        StripeUnavailable, StripeRefused
    """
    params: SessionCreateParams = {"customer": customer, "return_url": return_url}
    if configuration:
        params["configuration"] = configuration
    if flow:
        # After the flow, redirect instead of showing the portal's home page.
        redirect = {"type": "redirect", "redirect": {"return_url": return_url}}
        params["flow_data"] = {**flow, "after_completion": redirect}  # type: ignore[typeddict-item]
    try:
        with translate_errors():
            session = await client.v1.billing_portal.sessions.create_async(params)
    except StripeRefused as refused:
        if refused.stripe.names_missing_customer:
            raise CustomerGone from refused
        raise
    return session.url


def choose_configuration(requested: str, allowed: Sequence[str]) -> str:
    """Return the configuration to use, "" for Stripe's default.

    Raises:
        InvalidRequest: the requested configuration is not one of the setting's.
    """
    if not requested:
        return allowed[0] if allowed else ""
    if requested not in allowed:
        message = "configuration must be one of GATEWAY_PORTAL_CONFIGURATIONS."
        raise invalid_field("configuration", "configuration_not_allowed", message)
    return requested


def payment_method_flow() -> "SessionCreateParamsFlowData":
    """Return the flow that replaces the payment method."""
    return {"type": "payment_method_update"}


def cancel_flow(subscription: CustomerSubscription) -> "SessionCreateParamsFlowData":
    """Return the flow that cancels a subscription.

    Raises:
        Conflict: a schedule manages the subscription.
    """
    require_unplanned(subscription)
    return {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription.stripe_id},
    }


def update_flow(subscription: CustomerSubscription) -> "SessionCreateParamsFlowData":
    """Return the flow in which the customer chooses another plan.

    Raises:
        Conflict: the portal can't change this subscription.
    """
    require_changeable(subscription)
    require_settled(subscription)
    require_unplanned(subscription)
    _require_one_item(subscription)
    return {
        "type": "subscription_update",
        "subscription_update": {"subscription": subscription.stripe_id},
    }


def confirm_flow(
    subscription: CustomerSubscription, change: ItemChange
) -> "SessionCreateParamsFlowData":
    """Return the flow that confirms a change.

    Raises:
        Conflict: the portal can't change this subscription, or nothing would change.
    """
    require_unplanned(subscription)
    _require_one_item(subscription)
    if not change.is_new:
        raise conflict("plan_unchanged", "The subscription has this price and quantity already.")
    return {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {
            "subscription": subscription.stripe_id,
            "items": [change.params],
        },
    }


def _require_one_item(subscription: CustomerSubscription) -> None:
    if len(subscription.items) != 1:
        raise conflict(
            "several_items", "The portal can't change a subscription with several items."
        )
