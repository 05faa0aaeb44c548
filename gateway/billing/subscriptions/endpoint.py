"""POST /subscriptions/…: change, cancel, resume and discount a subscription."""

from typing import Annotated

from fastapi import APIRouter, Path

from gateway.billing.subscriptions.apply_change import make_change, preview_change
from gateway.billing.subscriptions.bodies import (
    CancelBody,
    ChangeBody,
    DiscountBody,
    PreviewBody,
    ResumeBody,
)
from gateway.billing.subscriptions.cancellation import (
    cancel_at_period_end,
    cancel_now,
    list_open_invoices,
    resume,
)
from gateway.billing.subscriptions.change_policy import read_change
from gateway.billing.subscriptions.discount import find_code, find_coupon, give_discount
from gateway.billing.subscriptions.preview_check import check_preview
from gateway.billing.subscriptions.responses import (
    CancelResponse,
    OpenInvoice,
    PreviewResponse,
    SubscriptionResponse,
)
from gateway.billing.subscriptions.scheduled_change import release, schedule_change
from gateway.billing.subscriptions.subscription import (
    NoSubscription,
    get_subscription,
    payment_required,
    refresh,
)
from gateway.dependencies import IdempotencyKey, ServicesDep, SignedInRoute, Token
from gateway.errors import CALLER_ERRORS, Conflict, IdempotencyKeyReused, PaymentRequired
from gateway.http.problems import problem_responses

_ERRORS = (*CALLER_ERRORS, PaymentRequired, NoSubscription, Conflict, IdempotencyKeyReused)
SubscriptionId = Annotated[
    str, Path(max_length=255, description="`stripe_id` of one of the caller's `subscriptions`.")
]

router = APIRouter(
    prefix="/subscriptions/{subscription}",
    tags=["subscriptions"],
    route_class=SignedInRoute,
    responses=problem_responses(*_ERRORS),
)


@router.post("/preview", operation_id="preview_subscription_change")
async def preview_subscription_change(
    subscription: SubscriptionId,
    body: PreviewBody,
    token: Token,
    services: ServicesDep,
) -> PreviewResponse:
    """Return the cost of a new plan or quantity, now or at the period's end. Changes nothing.

    Send the answer's `proration_date` with /change to be charged the previewed amount.
    """
    owned = await get_subscription(services, token, subscription)
    change = await read_change(services, token, owned, body.request)
    return PreviewResponse.of(await preview_change(services, owned, change, body.when))


@router.post("/change", operation_id="change_subscription")
async def change_subscription(
    subscription: SubscriptionId,
    body: ChangeBody,
    token: Token,
    services: ServicesDep,
    key: IdempotencyKey = "",
) -> SubscriptionResponse:
    """Change plan or quantity: now, or when the paid period ends.

    Now: Stripe charges or credits the difference at once. If the payment needs the buyer, the
    answer is 402 with the invoice's page, and the change takes effect when the invoice is paid. At
    the period's end: nothing is prorated. `scheduled_change` shows the planned change until then;
    /resume, /cancel or another change undoes it.
    """
    owned = await get_subscription(services, token, subscription)
    change = await read_change(services, token, owned, body.request)
    preview = check_preview(services, owned, change, body.when, body.proration_date)
    if body.when == "period_end":
        await schedule_change(services, owned, change, key=key)
    elif change.is_new and not change.waits_in(owned):
        await make_change(services, owned, change, preview, key=key)
    else:
        await release(services.stripe, owned)
    changed = await refresh(services, owned)
    if changed.body.get("pending_update"):
        raise payment_required(changed)
    return SubscriptionResponse.of(changed)


@router.post("/cancel", operation_id="cancel_subscription")
async def cancel_subscription(
    subscription: SubscriptionId,
    body: CancelBody,
    token: Token,
    services: ServicesDep,
    key: IdempotencyKey = "",
) -> CancelResponse:
    """Cancel a subscription at the end of the paid period, or now, without a refund.

    `open_invoices` lists unpaid invoices and whether Stripe still collects them.
    """
    owned = await get_subscription(services, token, subscription)
    if body.when == "now":
        await cancel_now(services.stripe, owned, body.reason)
    else:
        await cancel_at_period_end(services.stripe, owned, body.reason, key=key)
    canceled = CancelResponse.of(await refresh(services, owned))
    invoices = await list_open_invoices(services.stripe, owned)
    return canceled.model_copy(update={"open_invoices": list(map(OpenInvoice.of, invoices))})


@router.post("/resume", operation_id="resume_subscription")
async def resume_subscription(
    subscription: SubscriptionId,
    body: ResumeBody,
    token: Token,
    services: ServicesDep,
    key: IdempotencyKey = "",
) -> SubscriptionResponse:
    """Undo a planned cancellation or change, or resume a paused subscription.

    If an invoice has to be paid first, the answer is 402 with the invoice's page.
    """
    owned = await get_subscription(services, token, subscription)
    await resume(services.stripe, owned, key=key)
    resumed = await refresh(services, owned)
    if resumed.status in ("paused", "incomplete"):
        raise payment_required(resumed)
    return SubscriptionResponse.of(resumed)


@router.post("/discount", operation_id="discount_subscription")
async def discount_subscription(
    subscription: SubscriptionId,
    body: DiscountBody,
    token: Token,
    services: ServicesDep,
    key: IdempotencyKey = "",
) -> SubscriptionResponse:
    """Apply a discount to a subscription, from its next invoice on."""
    owned = await get_subscription(services, token, subscription)
    if body.coupon is not None:
        discount = find_coupon(body.coupon, services.settings.gateway_self_service_coupons)
    else:
        discount = await find_code(services.stripe, owned, body.promotion_code or "")
    await give_discount(services.stripe, owned, discount, key=key)
    return SubscriptionResponse.of(await refresh(services, owned))
