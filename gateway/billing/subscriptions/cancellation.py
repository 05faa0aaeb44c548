"""Cancels a subscription, now or at the end of its period, and resumes it."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import stripe

from gateway.billing.subscriptions.idempotency import send_once
from gateway.billing.subscriptions.scheduled_change import release
from gateway.billing.subscriptions.state_checks import (
    require_collecting,
    require_unscheduled,
    unpaid,
)
from gateway.billing.subscriptions.subscription import CustomerSubscription, conflict, require_live
from gateway.errors import StripeRefused
from gateway.rows import Json
from gateway.stripe_api import translate_errors
from gateway.stripe_api.fields import as_dict, as_list, as_number, as_text, stripe_id
from gateway.vocabulary import AGREED_END_METADATA, UNPAID_SUBSCRIPTION

if TYPE_CHECKING:
    from stripe.params import SubscriptionCancelParams, SubscriptionUpdateParams

Feedback = Literal[
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """The customer's reason, which the seller can read in Stripe's dashboard."""

    feedback: Feedback | None = None
    comment: str = ""

    @property
    def params(self) -> Any:
        """The request parameters; {} without a reason."""
        given = {"feedback": self.feedback, "comment": self.comment}
        details = {name: value for name, value in given.items() if value}
        return {"cancellation_details": details} if details else {}


async def cancel_at_period_end(
    client: stripe.StripeClient,
    subscription: CustomerSubscription,
    reason: Reason,
    *,
    key: str,
) -> None:
    """Cancel a subscription at the end of its period; repeating the call changes nothing.

    Args:
        key: the caller's Idempotency-Key, "" without one.

    Raises:
        Conflict: it has ended, its first invoice is unpaid, or the seller's schedule manages it.
        StripeUnavailable, StripeRefused, IdempotencyKeyReused
    """
    require_live(subscription)
    if subscription.status == "incomplete":
        raise unpaid(subscription)
    require_unscheduled(subscription)
    if _ends_with_period(subscription):
        return
    # Under a schedule Stripe refuses the flag, and the planned change would come after the end.
    await release(client, subscription)
    params: SubscriptionUpdateParams = {"cancel_at_period_end": True}
    if _has_longer_period(subscription):
        params = {"cancel_at": "max_period_end"}
    params.update(reason.params)
    if agreed := subscription.body.get("cancel_at"):
        # Stripe replaces a later end that the seller has set; `resume` restores it.
        params["metadata"] = {AGREED_END_METADATA: str(agreed)}
    update = partial(client.v1.subscriptions.update_async, subscription.stripe_id, params)
    await send_once("cancel", subscription, params, update, key=key)


async def cancel_now(
    client: stripe.StripeClient,
    subscription: CustomerSubscription,
    reason: Reason,
) -> None:
    """Cancel a subscription at once: bill the remaining usage, without a refund.

    The first invoice of an incomplete subscription is voided, so that it can't be paid in addition
    to another purchase. Repeating the call changes nothing.

    Raises:
        Conflict: the seller's schedule manages it.
        StripeUnavailable, StripeRefused
    """
    if subscription.has_ended:
        return
    require_unscheduled(subscription)
    await release(client, subscription)
    params: SubscriptionCancelParams = {"invoice_now": True, "prorate": False}
    params.update(reason.params)
    try:
        with translate_errors():
            await client.v1.subscriptions.cancel_async(subscription.stripe_id, params)
    except StripeRefused as refused:
        # Another request was first: Stripe answers 404 for a canceled subscription.
        if refused.stripe.status != 404:
            raise
    if subscription.status == "incomplete":
        await _void_first(client, subscription)


async def _void_first(client: stripe.StripeClient, subscription: CustomerSubscription) -> None:
    if subscription.invoice.get("status") != "open":
        return
    try:
        with translate_errors():
            await client.v1.invoices.void_invoice_async(stripe_id(subscription.invoice))
    except StripeRefused as refused:
        # Stripe may have voided it itself.
        if refused.stripe.status != 400:
            raise


async def list_open_invoices(
    client: stripe.StripeClient, subscription: CustomerSubscription
) -> list[Json]:
    """Return Stripe's open invoices; call Stripe only if there can be some.

    Args:
        subscription: in its state before the cancellation.

    Raises:
        StripeUnavailable, StripeRefused
    """
    # Sent invoices can be open while the subscription is active.
    if (
        subscription.status not in UNPAID_SUBSCRIPTION
        and subscription.invoice.get("status") != "open"
    ):
        return []
    with translate_errors():
        found = await client.v1.invoices.list_async(
            {"subscription": subscription.stripe_id, "status": "open", "limit": 100}
        )
    return as_list(found.to_dict())


async def resume(
    client: stripe.StripeClient, subscription: CustomerSubscription, *, key: str
) -> None:
    """Undo a planned cancellation or change, or resume a paused subscription.

    Repeating the call changes nothing.

    Args:
        key: the caller's Idempotency-Key, "" without one.

    Raises:
        Conflict: it has ended, the seller set its end, the seller's schedule manages it, or the
            seller has paused the collection and there is nothing to undo.
        StripeUnavailable, StripeRefused, PaymentRequired, IdempotencyKeyReused
    """
    require_live(subscription)
    require_unscheduled(subscription)
    body = subscription.body
    is_ending = body.get("cancel_at_period_end") or body.get("cancel_at")
    if not is_ending and not subscription.planned:
        require_collecting(subscription)
    await release(client, subscription)
    if body.get("cancel_at_period_end") or body.get("cancel_at"):
        if not _ends_with_period(subscription):
            raise conflict(
                "end_agreed", "The seller has set the date on which the subscription ends."
            )
        await _keep(client, subscription, key)
    # An open invoice is from an earlier request; it only has to be paid.
    if subscription.status == "paused" and subscription.invoice.get("status") != "open":
        begin = partial(client.v1.subscriptions.resume_async, subscription.stripe_id, {})
        await send_once("resume", subscription, {}, begin, key=key)


async def _keep(client: stripe.StripeClient, subscription: CustomerSubscription, key: str) -> None:
    params: SubscriptionUpdateParams
    agreed = as_text(as_dict(subscription.body.get("metadata")).get(AGREED_END_METADATA))
    if agreed.isdecimal() and int(agreed) > subscription.now:
        params = {"cancel_at": int(agreed), "metadata": {AGREED_END_METADATA: ""}}
    elif subscription.body.get("cancel_at_period_end"):
        params = {"cancel_at_period_end": False}
    else:
        params = {"cancel_at": ""}
    update = partial(client.v1.subscriptions.update_async, subscription.stripe_id, params)
    await send_once("keep", subscription, params, update, key=key)


def _has_longer_period(subscription: CustomerSubscription) -> bool:
    """Return whether an item is paid for longer than usage is billed, as a year beside months.

    Stripe ends such a subscription with its earliest period. Usage may go on until the latest one
    without being paid in advance; a further monthly fee may not.
    """
    latest = max(as_number(item.get("current_period_end")) for item in subscription.items)
    earlier = [
        item for item in subscription.items if as_number(item.get("current_period_end")) < latest
    ]
    return bool(earlier) and all(map(_is_metered, earlier))


def _is_metered(item: Json) -> bool:
    recurring = as_dict(as_dict(item.get("price")).get("recurring"))
    return recurring.get("usage_type") == "metered"


def _ends_with_period(subscription: CustomerSubscription) -> bool:
    """Return whether it ends with the paid period or before; only the seller sets a later end."""
    if subscription.body.get("cancel_at_period_end"):
        return True
    ends = [as_number(item.get("current_period_end")) for item in subscription.items]
    cancel_at = as_number(subscription.body.get("cancel_at"))
    return bool(cancel_at and ends and cancel_at <= max(ends))
