"""Previews a change of plan or quantity, and applies it at the previewed amount.

Decisions: docs/decisions/016-subscription-changes.md, docs/decisions/020-signed-previews.md.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import stripe

from gateway.billing.subscriptions.credit_check import require_billed, sum_billed
from gateway.billing.subscriptions.idempotency import send_once
from gateway.billing.subscriptions.item_change import ItemChange, When
from gateway.billing.subscriptions.preview_check import use_preview
from gateway.billing.subscriptions.preview_token import (
    PreviewToken,
    derive_keys,
    describe_version,
    digest,
    sign_preview,
)
from gateway.billing.subscriptions.scheduled_change import release
from gateway.billing.subscriptions.subscription import CustomerSubscription, conflict, reread
from gateway.dates import as_unix
from gateway.errors import StripeRefused
from gateway.mirror.nested_lists import complete
from gateway.rows import Json
from gateway.services import Services
from gateway.stripe_api import Snapshot, read_object, translate_errors
from gateway.stripe_api.fields import as_dict, as_list, as_number, as_text, line_origin

if TYPE_CHECKING:
    from stripe.params import InvoiceCreatePreviewParams, SubscriptionUpdateParams


@dataclass(frozen=True, slots=True)
class Preview:
    """The cost of a change."""

    currency: str
    #: Charged at once, in the currency's smallest unit.
    due_now: int
    #: Credit for later invoices, in the same unit.
    credit: int
    #: Unix seconds at which the change takes effect.
    takes_effect_at: int
    #: Stripe's previewed invoice; {} if nothing would change.
    invoice: Json
    #: The signed `proration_date` for the change; "" for a change at the period's end.
    signed_date: str = ""


async def preview_change(
    services: Services, subscription: CustomerSubscription, change: ItemChange, when: When
) -> Preview:
    """Return the cost of a change, from Stripe's preview of its invoice.

    Raises:
        StripeUnavailable, StripeRefused
    """
    currency = as_text(subscription.body.get("currency"))
    if when == "period_end":
        # Without proration, the next invoice contains only the new price.
        invoice: Json = {}
        if change.is_new:
            invoice = await _preview(services.stripe, subscription, change, None)
        end = as_unix(change.item.get("current_period_end"))
        return Preview(currency, 0, 0, end, invoice)
    date = max(subscription.now, int(as_number(change.item.get("current_period_start"))))
    if not change.is_new:
        signed = _sign(services, subscription, change, date)
        return Preview(currency, 0, 0, date, {}, signed)
    invoice = await _preview(services.stripe, subscription, change, date)
    signed = _sign(services, subscription, change, date, _is_credit(invoice))
    due, total = 0, 0
    if _is_invoiced_now(invoice, subscription):
        due, total = int(as_number(invoice.get("amount_due"))), int(as_number(invoice.get("total")))
    return Preview(currency, due, max(0, -total), date, invoice, signed)


async def make_change(
    services: Services,
    subscription: CustomerSubscription,
    change: ItemChange,
    token: PreviewToken | None,
    *,
    key: str,
) -> None:
    """Send the change to Stripe; it is pending until its invoice is paid.

    Args:
        token: of the preview, see `check_preview`; None without a preview.
        key: the caller's Idempotency-Key, "" without one.

    Raises:
        InvalidRequest, Conflict: the preview is not valid any more.
        StripeUnavailable, StripeRefused, PaymentRequired, IdempotencyKeyReused
    """
    params: SubscriptionUpdateParams = {
        "items": change.all_params,
        "proration_behavior": "always_invoice",
    }
    date = None
    if token is not None:
        date = await use_preview(services, subscription, change, token, key)
        if date is None:
            return
        params["proration_date"] = date
        key = key or f"preview-{token.nonce}"
    if not change.only_adds and (token is None or token.is_credit):
        await _check_credit(services, subscription, change, date)
    if subscription.body.get("collection_method") == "charge_automatically":
        # The change applies when it is paid; if the card fails, the old plan continues.
        params["payment_behavior"] = "pending_if_incomplete"
    # A change planned for the period's end would undo this one.
    await release(services.stripe, subscription)
    update = partial(services.stripe.v1.subscriptions.update_async, subscription.stripe_id, params)
    await send_once("change", subscription, params, update, key=key)


async def _check_credit(
    services: Services,
    subscription: CustomerSubscription,
    change: ItemChange,
    date: int | None,
) -> None:
    start = int(as_number(change.item.get("current_period_start")))
    date = date or max(subscription.now, start)
    # In this order, because a repeated request may apply the change in between.
    billed = await sum_billed(services.stripe, subscription)
    try:
        invoice = await _preview(services.stripe, subscription, change, date)
    except StripeRefused as refused:
        if refused.stripe.param != "proration_date":
            raise
        # Another request has changed the subscription, and its new period begins after the date.
        if change.is_shown_by((await reread(services, subscription)).items):
            return
        message = "The subscription was changed by another request. Load it and try again."
        raise conflict("subscription_changed", message) from refused
    if billed is not None and _is_invoiced_now(invoice, subscription):
        require_billed(billed, invoice)


def _sign(
    services: Services,
    subscription: CustomerSubscription,
    change: ItemChange,
    date: int,
    is_credit: bool = False,
) -> str:
    token = PreviewToken(
        subscription.stripe_id,
        describe_version(subscription.body),
        digest(change.fingerprint),
        date,
        is_credit=is_credit,
    )
    return sign_preview(token, derive_keys(services.settings.webhook_secrets))


async def _preview(
    client: stripe.StripeClient,
    subscription: CustomerSubscription,
    change: ItemChange,
    date: int | None,
) -> Json:
    params: InvoiceCreatePreviewParams = {
        "customer": subscription.body["customer"],
        "subscription": subscription.stripe_id,
        "subscription_details": {"items": change.all_params},
    }
    if date is None:
        params["subscription_details"]["proration_behavior"] = "none"
    else:
        params["subscription_details"]["proration_behavior"] = "always_invoice"
        params["subscription_details"]["proration_date"] = date
    with translate_errors():
        found = await client.v1.invoices.create_preview_async(params)
    snapshot = Snapshot(found.to_dict(), subscription.now, subscription.now)
    return (await complete(partial(read_object, client), snapshot)).body


def _is_credit(invoice: Json) -> bool:
    """Return whether the prorations are a credit, so that an earlier date benefits the buyer."""
    lines = as_list(invoice.get("lines"))
    prorations = [line for line in lines if line_origin(line).get("proration") is True]
    return sum(as_number(line.get("amount")) for line in prorations) < 0


def _is_invoiced_now(invoice: Json, subscription: CustomerSubscription) -> bool:
    """Return False if the change has no invoice: Stripe then previews the renewal (in a trial)."""
    ends = [int(as_number(item.get("current_period_end"))) for item in subscription.items]
    starts = [
        int(as_number(as_dict(line.get("period")).get("start")))
        for line in as_list(invoice.get("lines"))
    ]
    return bool(starts) and max(starts) < min(ends)
