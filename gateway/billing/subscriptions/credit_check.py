"""Refuses changes that would credit more than was billed for the present period.

In classic billing mode, Stripe credits unused time at the list price, even if a discount had paid
for it. An upgrade with the discount and a downgrade without it would create credit.
"""

from typing import TYPE_CHECKING

import stripe

from gateway.billing.subscriptions.subscription import CustomerSubscription, conflict
from gateway.rows import Json
from gateway.stripe_api import translate_errors
from gateway.stripe_api.fields import as_list, as_number, as_text

if TYPE_CHECKING:
    from stripe.params import InvoiceListParams

#: Stripe's maximum.
_PAGE_SIZE = 100


def require_billed(billed: int, preview: Json) -> None:
    """Refuse a change whose credit is larger than what was billed. Pure.

    Args:
        billed: see `sum_billed`.
        preview: Stripe's preview of the change's invoice.

    Raises:
        Conflict: the change is possible at the period's end only.
    """
    total = int(as_number(preview.get("total")))
    # Stripe rounds each line separately.
    rounding = len(as_list(preview.get("lines")))
    if total + rounding < 0 and billed + total + rounding < 0:
        message = (
            "This would credit more than was billed for the period. "
            'Make the change with "when": "period_end".'
        )
        raise conflict("credit_not_billed", message)


async def sum_billed(client: stripe.StripeClient, subscription: CustomerSubscription) -> int | None:
    """Return the sum of the period's invoices in the currency's smallest unit.

    None if there are more than 100 invoices.

    Raises:
        StripeUnavailable, StripeRefused
    """
    start = min(int(as_number(item.get("current_period_start"))) for item in subscription.items)
    params: InvoiceListParams = {"subscription": subscription.stripe_id, "limit": _PAGE_SIZE}
    if start <= subscription.now:
        params["created"] = {"gte": start}
    with translate_errors():
        found = (await client.v1.invoices.list_async(params)).to_dict()
    if found["has_more"]:
        return None
    # Drafts count: their credit has been deducted.
    counted = ("paid", "draft", "open")
    return sum(
        int(as_number(invoice.get("total")))
        for invoice in as_list(found)
        if as_text(invoice.get("status")) in counted
    )
