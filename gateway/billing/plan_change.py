"""Previews a change of plan or quantity, and makes it: the same amount in both.

Decisions: docs/decisions/016-subscription-changes.md.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import stripe

from gateway.billing.idempotency import send_once
from gateway.billing.plan import ItemChange
from gateway.billing.subscription import OwnedSubscription
from gateway.errors import invalid_field
from gateway.shapes import listing, mapping, number, text
from gateway.stripe_api import Reading, complete, read_object, translate_errors
from gateway.writes import Json

if TYPE_CHECKING:
    from stripe.params import InvoiceCreatePreviewParams, SubscriptionUpdateParams

#: Seconds for which a preview holds. Longer, and the client would choose what is prorated.
PREVIEW_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would cost."""

    #: Unix seconds of Stripe's clock: with it, the change costs what was previewed.
    proration_date: int
    currency: str
    #: What is charged at once, in the currency's smallest unit.
    due_now: int
    #: The invoice that was previewed; {} if nothing would change.
    invoice: Json


async def preview_change(
    client: stripe.StripeClient, subscription: OwnedSubscription, change: ItemChange
) -> Preview:
    """Ask Stripe for the invoice that a change would make.

    Raises:
        StripeUnavailable, StripeRefused
    """
    date = max(subscription.now, _period_start(change))
    currency = text(subscription.body.get("currency"))
    if not change.is_new:
        return Preview(date, currency, 0, {})
    params: InvoiceCreatePreviewParams = {
        "customer": subscription.body["customer"],
        "subscription": subscription.stripe_id,
        "subscription_details": {
            "items": [change.params],
            "proration_behavior": "always_invoice",
            "proration_date": date,
        },
    }
    with translate_errors():
        found = await client.v1.invoices.create_preview_async(params)
    shown = Reading(found.to_dict(), date, date)
    invoice: Json = (await complete(partial(read_object, client), shown)).body
    return Preview(date, currency, _due_now(invoice, subscription), invoice)


async def make_change(
    client: stripe.StripeClient,
    subscription: OwnedSubscription,
    change: ItemChange,
    *,
    proration_date: int | None,
    key: str,
) -> None:
    """Send the change to Stripe; it takes effect when its invoice is paid, else it waits.

    Args:
        proration_date: from a preview.
        key: the caller's Idempotency-Key, "" if there is none.

    Raises:
        InvalidRequest: the preview is too old.
        StripeUnavailable, StripeRefused, PaymentRequired, IdempotencyKeyReused
    """
    params: SubscriptionUpdateParams = {
        "items": [change.params],
        "proration_behavior": "always_invoice",
    }
    if proration_date is not None:
        _check_date(subscription, change, proration_date)
        params["proration_date"] = proration_date
    if subscription.body.get("collection_method") == "charge_automatically":
        # Nobody gets what is not paid, and a card that fails leaves the old plan as it was.
        params["payment_behavior"] = "pending_if_incomplete"
    await send_once(
        "change",
        subscription,
        params,
        partial(client.v1.subscriptions.update_async, subscription.stripe_id, params),
        key=key,
    )


def _period_start(change: ItemChange) -> int:
    return int(number(change.item.get("current_period_start")))


def _check_date(subscription: OwnedSubscription, change: ItemChange, date: int) -> None:
    """Who could choose the date could choose the amount."""
    earliest = max(subscription.now - PREVIEW_SECONDS, _period_start(change))
    if not earliest <= date <= subscription.now + 1:
        message = "The preview is too old: ask for another."
        raise invalid_field("proration_date", "preview_expired", message)


def _due_now(invoice: Json, subscription: OwnedSubscription) -> int:
    """Stripe previews the next renewal where a change makes no invoice, as in a trial."""
    ends = [int(number(item.get("current_period_end"))) for item in subscription.items]
    starts = [
        int(number(mapping(line.get("period")).get("start")))
        for line in listing(invoice.get("lines"))
    ]
    is_made_now = bool(starts) and max(starts) < min(ends)
    return int(number(invoice.get("amount_due"))) if is_made_now else 0
