"""POST /subscriptions/…: what the portal offers, for those who don't want the portal."""

from typing import Annotated

from fastapi import APIRouter, Path

from gateway.billing.bodies import (
    CancelBody,
    ChangeBody,
    DiscountBody,
    PlanBody,
    PreviewResponse,
    ResumeBody,
    SubscriptionResponse,
)
from gateway.billing.discount import find_coupon, find_promotion_code, give_discount
from gateway.billing.ending import cancel_at_period_end, cancel_now, resume
from gateway.billing.plan import plan_change
from gateway.billing.plan_change import make_change, preview_change
from gateway.billing.subscription import (
    NoSubscription,
    payment_required,
    read_owned,
    show_changed,
)
from gateway.dependencies import (
    GatewaySettings,
    IdempotencyKey,
    PocketBaseClient,
    ReadingApplier,
    StripeClient,
    Token,
)
from gateway.errors import (
    Conflict,
    IdempotencyKeyReused,
    InvalidRequest,
    PaymentRequired,
    PocketBaseUnavailable,
    StripeRefused,
    StripeUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
)
from gateway.problems import problem_responses

_ERRORS = (
    InvalidRequest,
    Unauthenticated,
    PaymentRequired,
    NoSubscription,
    Conflict,
    UnsupportedMediaType,
    IdempotencyKeyReused,
    StripeRefused,
    PocketBaseUnavailable,
    StripeUnavailable,
)
SubscriptionId = Annotated[
    str, Path(max_length=255, description="`stripe_id` of one of the caller's `subscriptions`.")
]

router = APIRouter(
    prefix="/subscriptions/{subscription}",
    tags=["subscriptions"],
    responses=problem_responses(*_ERRORS),
)


@router.post("/preview", operation_id="preview_subscription_change")
async def preview_subscription_change(
    subscription: SubscriptionId,
    body: PlanBody,
    token: Token,
    pocketbase: PocketBaseClient,
    client: StripeClient,
) -> PreviewResponse:
    """Say what another plan or quantity would cost now; changes nothing."""
    prices = [body.price] if body.price else []
    owned = await read_owned(client, pocketbase, token, subscription, prices)
    change = plan_change(owned, body.plan, owned.buyer.prices)
    return PreviewResponse.of(await preview_change(client, owned, change))


@router.post("/change", operation_id="change_subscription")
async def change_subscription(
    subscription: SubscriptionId,
    body: ChangeBody,
    token: Token,
    pocketbase: PocketBaseClient,
    client: StripeClient,
    apply_reading: ReadingApplier,
    key: IdempotencyKey = "",
) -> SubscriptionResponse:
    """Change plan or quantity, and charge or credit the difference at once.

    The change takes effect when it is paid. A 402 says how to pay; then it takes effect by itself.
    """
    prices = [body.price] if body.price else []
    owned = await read_owned(client, pocketbase, token, subscription, prices)
    change = plan_change(owned, body.plan, owned.buyer.prices)
    if change.is_new and not change.waits_in(owned):
        date = body.proration_date
        await make_change(client, owned, change, proration_date=date, key=key)
    changed = await show_changed(client, apply_reading, owned)
    if changed.body.get("pending_update"):
        raise payment_required(changed)
    return SubscriptionResponse.of(changed)


@router.post("/cancel", operation_id="cancel_subscription")
async def cancel_subscription(
    subscription: SubscriptionId,
    body: CancelBody,
    token: Token,
    pocketbase: PocketBaseClient,
    client: StripeClient,
    apply_reading: ReadingApplier,
    key: IdempotencyKey = "",
) -> SubscriptionResponse:
    """End a subscription with the period that is paid, or now, without a refund."""
    owned = await read_owned(client, pocketbase, token, subscription)
    if body.when == "now":
        await cancel_now(client, owned, body.reason)
    else:
        await cancel_at_period_end(client, owned, body.reason, key=key)
    return SubscriptionResponse.of(await show_changed(client, apply_reading, owned))


@router.post("/resume", operation_id="resume_subscription")
async def resume_subscription(
    subscription: SubscriptionId,
    body: ResumeBody,
    token: Token,
    pocketbase: PocketBaseClient,
    client: StripeClient,
    apply_reading: ReadingApplier,
    key: IdempotencyKey = "",
) -> SubscriptionResponse:
    """Take a planned cancellation back, or begin again after a pause; a 402 says how to pay."""
    owned = await read_owned(client, pocketbase, token, subscription)
    await resume(client, owned, key=key)
    resumed = await show_changed(client, apply_reading, owned)
    if resumed.status == "paused":
        raise payment_required(resumed)
    return SubscriptionResponse.of(resumed)


@router.post("/discount", operation_id="discount_subscription")
async def discount_subscription(
    subscription: SubscriptionId,
    body: DiscountBody,
    token: Token,
    settings: GatewaySettings,
    pocketbase: PocketBaseClient,
    client: StripeClient,
    apply_reading: ReadingApplier,
    key: IdempotencyKey = "",
) -> SubscriptionResponse:
    """Give a subscription a discount, from its next invoice on."""
    owned = await read_owned(client, pocketbase, token, subscription)
    if body.coupon is not None:
        offer = find_coupon(body.coupon, settings.gateway_open_coupons)
    else:
        offer = await find_promotion_code(client, owned, body.promotion_code or "")
    await give_discount(client, owned, offer, key=key)
    return SubscriptionResponse.of(await show_changed(client, apply_reading, owned))
