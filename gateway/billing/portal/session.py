"""Stripe's customer portal, opened for one customer, at one of its pages if asked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import stripe

from gateway.billing.subscriptions.item_change import ItemChange
from gateway.billing.subscriptions.state import (
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
    """Return the portal's address; it is good for a few minutes.

    Raises:
        CustomerGone: Stripe has deleted the customer.
        StripeUnavailable, StripeRefused
    """
    params: SessionCreateParams = {"customer": customer, "return_url": return_url}
    if configuration:
        params["configuration"] = configuration
    if flow:
        # Who came for one thing goes back when it is done.
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


def choose_configuration(asked: str, allowed: Sequence[str]) -> str:
    """Return the configuration to use, "" for Stripe's default.

    Raises:
        InvalidRequest: the one that is asked for is not among those of the settings.
    """
    if not asked:
        return allowed[0] if allowed else ""
    if asked not in allowed:
        message = "This configuration is not allowed."
        raise invalid_field("configuration", "configuration_not_allowed", message)
    return asked


def payment_method_flow() -> "SessionCreateParamsFlowData":
    """Another card."""
    return {"type": "payment_method_update"}


def cancel_flow(subscription: CustomerSubscription) -> "SessionCreateParamsFlowData":
    """The end of a subscription.

    Raises:
        Conflict: a schedule decides about it.
    """
    require_unplanned(subscription)
    return {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription.stripe_id},
    }


def update_flow(subscription: CustomerSubscription) -> "SessionCreateParamsFlowData":
    """The choice of another plan.

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
    """The confirmation of a plan that is already chosen.

    Raises:
        Conflict: the portal can't change this subscription, or it is that plan already.
    """
    require_unplanned(subscription)
    _require_one_item(subscription)
    if not change.is_new:
        raise conflict("plan_unchanged", "The subscription is like this already.")
    return {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {
            "subscription": subscription.stripe_id,
            "items": [change.params],
        },
    }


def _require_one_item(subscription: CustomerSubscription) -> None:
    if len(subscription.items) != 1:
        raise conflict("several_items", "The portal can't change a subscription of several items.")
