"""Changes at the end of the paid period, by a Subscription Schedule.

The schedule has the present items until the period ends, and the new ones for the next period; then
Stripe releases the subscription. Until the change, /resume, /cancel or another change undoes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import stripe

from gateway.billing.subscriptions.idempotency import send_once
from gateway.billing.subscriptions.item_change import ItemChange
from gateway.billing.subscriptions.subscription import (
    CustomerSubscription,
    conflict,
    payment_required,
    reread,
)
from gateway.dates import as_unix
from gateway.errors import GatewayError, StripeRefused
from gateway.rows import Json
from gateway.services import Services
from gateway.stripe_api import translate_errors
from gateway.stripe_api.fields import as_dict, as_list, as_number, stripe_id
from gateway.vocabulary import BY_MEMBER_METADATA, SCHEDULE_METADATA

if TYPE_CHECKING:
    from stripe.params import SubscriptionScheduleCreateParams, SubscriptionScheduleUpdateParams


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """The items of a subscription after the period's end."""

    #: Unix seconds.
    at: int
    #: Stripe's items of the phase: price and quantity.
    items: list[Json]


def describe_scheduled(subscription: CustomerSubscription) -> PlannedChange | None:
    """Return the planned change, None without one."""
    end = as_unix(as_dict(subscription.planned.get("current_phase")).get("end_date"))
    for phase in as_list(subscription.planned.get("phases")):
        if end and as_unix(phase.get("start_date")) >= end:
            return PlannedChange(as_unix(phase.get("start_date")), as_list(phase.get("items")))
    return None


async def schedule_change(
    services: Services, subscription: CustomerSubscription, change: ItemChange, *, key: str
) -> None:
    """Plan a change for the period's end; a change to the present state undoes a planned one.

    Args:
        key: the caller's Idempotency-Key, "" without one.

    Raises:
        Conflict: the subscription will end.
        PaymentRequired: another change is pending until it is paid.
        StripeUnavailable, StripeRefused, IdempotencyKeyReused
    """
    if not change.is_new:
        await release(services.stripe, subscription)
        return
    if subscription.body.get("cancel_at_period_end") or subscription.body.get("cancel_at"):
        message = "The subscription is set to end: undo that first, with /resume."
        raise conflict("subscription_ending", message)
    if subscription.body.get("pending_update"):
        raise payment_required(subscription)
    if not subscription.planned:
        subscription = await _attach_schedule(services, subscription, key)
    try:
        await _write_phases(services.stripe, subscription, change, key)
    except GatewayError:
        # Without the second request, the schedule lacks the gateway's metadata.
        await release(services.stripe, subscription, force=True)
        raise


async def release(
    client: stripe.StripeClient, subscription: CustomerSubscription, *, force: bool = False
) -> None:
    """Undo a planned change, if there is one; the subscription does not change.

    Args:
        force: also release a schedule without the gateway's metadata.

    Raises:
        StripeUnavailable, StripeRefused
    """
    schedule = subscription.planned or (force and as_dict(subscription.body.get("schedule")))
    if not schedule:
        return
    try:
        with translate_errors():
            await client.v1.subscription_schedules.release_async(stripe_id(schedule))
    except StripeRefused:
        # Another request may have been first.
        with translate_errors():
            found = await client.v1.subscription_schedules.retrieve_async(stripe_id(schedule))
        if found.status == "active":
            raise


async def _attach_schedule(
    services: Services, subscription: CustomerSubscription, key: str
) -> CustomerSubscription:
    """Create a schedule without phases: Stripe accepts them only in a second request."""
    params: SubscriptionScheduleCreateParams = {"from_subscription": subscription.stripe_id}
    create = partial(services.stripe.v1.subscription_schedules.create_async, params)
    refused: StripeRefused | None = None
    try:
        await send_once("schedule", subscription, params, create, key=key)
    except StripeRefused as error:
        refused = error
    found = await reread(services, subscription)
    if not found.body.get("schedule"):
        message = "The change could not be planned: send the request again."
        raise refused or conflict("schedule_released", message)
    return found


async def _write_phases(
    client: stripe.StripeClient, subscription: CustomerSubscription, change: ItemChange, key: str
) -> None:
    schedule = as_dict(subscription.body.get("schedule"))
    params: SubscriptionScheduleUpdateParams = {
        "end_behavior": "release",
        "phases": build_phases(subscription, change),
        "metadata": {
            SCHEDULE_METADATA: "change",
            BY_MEMBER_METADATA: ",".join(change.by_member)[:500],
        },
    }
    update = partial(client.v1.subscription_schedules.update_async, stripe_id(schedule), params)
    await send_once("plan", subscription, params, update, key=key)


def build_phases(subscription: CustomerSubscription, change: ItemChange) -> Any:
    """Return the parameters of the present phase and of the next one. Pure.

    The present phase ends with the changed item's period: other items may have shorter ones.
    """
    body = subscription.body
    present = as_dict(as_dict(body.get("schedule")).get("current_phase"))
    kept: dict[str, Any] = {}
    if rates := [stripe_id(rate) for rate in as_list(body.get("default_tax_rates"))]:
        kept["default_tax_rates"] = rates
    if discounts := _name_discounts(body, subscription.now):
        kept["discounts"] = discounts
    first = {
        "start_date": present.get("start_date"),
        "end_date": change.item.get("current_period_end") or present.get("end_date"),
        "items": [_describe_item(item) for item in subscription.items],
        **kept,
    }
    if subscription.status == "trialing":
        first["trial_end"] = body.get("trial_end")
    items = [_describe_item(_apply(item, change)) for item in subscription.items]
    return [first, {"items": items, "proration_behavior": "none", **kept}]


def _apply(item: Json, change: ItemChange) -> Json:
    if stripe_id(item) == stripe_id(change.item):
        return item | {"price": change.price, "quantity": change.quantity}
    return item | {"quantity": dict(change.corrections).get(stripe_id(item), item.get("quantity"))}


def _describe_item(item: Json) -> dict[str, Any]:
    found: dict[str, Any] = {"price": stripe_id(item.get("price"))}
    if item.get("quantity") is not None:
        found["quantity"] = item["quantity"]
    if rates := [stripe_id(rate) for rate in _entries(item.get("tax_rates"))]:
        found["tax_rates"] = rates
    if discounts := [stripe_id(discount) for discount in _entries(item.get("discounts"))]:
        found["discounts"] = [{"discount": discount} for discount in discounts]
    return found


def _name_discounts(body: Json, now: int) -> list[dict[str, str]]:
    return [
        {"discount": stripe_id(discount)}
        for discount in as_list(body.get("discounts"))
        if not 0 < as_number(discount.get("end")) <= now
    ]


def _entries(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
