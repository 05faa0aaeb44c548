"""Response bodies of /subscriptions."""

from typing import Literal, Self

from pydantic import ConfigDict, Field

from gateway.billing.subscriptions.apply_change import Preview
from gateway.billing.subscriptions.preview_check import PREVIEW_SECONDS
from gateway.billing.subscriptions.scheduled_change import describe_scheduled
from gateway.billing.subscriptions.subscription import CustomerSubscription
from gateway.dates import as_unix
from gateway.http.response_types import Empty, ResponseModel, Uri
from gateway.rows import Json
from gateway.stripe_api.fields import as_dict, as_list, as_number, as_text, item_price, stripe_id


class PreviewLine(ResponseModel):
    """A line of the previewed invoice; amounts in the currency's smallest unit."""

    description: str
    amount: int
    price: str
    quantity: int | None

    @classmethod
    def of(cls, line: Json) -> "PreviewLine":
        """Read an invoice line of Stripe."""
        return cls(
            description=as_text(line.get("description")),
            amount=line["amount"],
            price=stripe_id(item_price(line)),
            quantity=line.get("quantity"),
        )


class PreviewResponse(ResponseModel):
    """The cost of a change, computed by Stripe."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "proration_date": "WyJzdWJfMWEyYjNjIiwi….q3Zr…",
                    "expires_at": 1763856900,
                    "takes_effect_at": 1763856000,
                    "currency": "usd",
                    "due_now": 1133,
                    "total": 1133,
                    "credit": 0,
                    "credit_to": None,
                    "lines": [
                        {
                            "description": "Unused time on 1 x Pro",
                            "amount": -567,
                            "price": "price_1a2b3c",
                            "quantity": 1,
                        },
                        {
                            "description": "Remaining time on 3 x Pro",
                            "amount": 1700,
                            "price": "price_1a2b3c",
                            "quantity": 3,
                        },
                    ],
                }
            ]
        }
    )

    proration_date: str | None = Field(
        description="A signed date. Send it unchanged with /change, once, to be charged this "
        "amount. Null for a change at the period's end."
    )
    expires_at: int | None = Field(description="Unix seconds after which /change refuses it.")
    takes_effect_at: int = Field(description="Unix seconds.")
    currency: str
    due_now: int = Field(description="Charged by /change, in the currency's smallest unit.")
    total: int = Field(
        description="Total of the previewed invoice; for a change at the period's end, of the next "
        "invoice. Negative if it leaves credit."
    )
    credit: int = Field(description="The credit it leaves, in the currency's smallest unit.")
    credit_to: Literal["customer_balance"] | None = Field(
        description="The balance that gets the credit. It reduces later invoices and is not paid "
        "out."
    )
    lines: list[PreviewLine]

    @classmethod
    def of(cls, preview: Preview) -> "PreviewResponse":
        """Read a preview."""
        at = preview.takes_effect_at
        return cls(
            proration_date=preview.signed_date or None,
            expires_at=at + PREVIEW_SECONDS if preview.signed_date else None,
            takes_effect_at=at,
            credit=preview.credit,
            credit_to="customer_balance" if preview.credit else None,
            currency=preview.currency,
            due_now=preview.due_now,
            total=preview.invoice.get("total") or 0,
            lines=[PreviewLine.of(line) for line in as_list(preview.invoice.get("lines"))],
        )


class SubscriptionItem(ResponseModel):
    """An item of the subscription."""

    id: str
    price: str
    quantity: int | None


class ScheduledItem(ResponseModel):
    """An item of the next period."""

    price: str
    quantity: int | None


class ScheduledChange(ResponseModel):
    """A change planned for the period's end; /resume, /cancel or another change undoes it."""

    at: int = Field(description="Unix seconds.")
    items: list[ScheduledItem]

    @classmethod
    def of(cls, subscription: CustomerSubscription) -> "ScheduledChange | None":
        """Read a subscription's schedule."""
        planned = describe_scheduled(subscription)
        if planned is None:
            return None
        items = [
            ScheduledItem(price=stripe_id(item.get("price")), quantity=item.get("quantity"))
            for item in planned.items
        ]
        return cls(at=planned.at, items=items)


class OpenInvoice(ResponseModel):
    """An unpaid invoice."""

    id: str
    amount: int = Field(description="Amount remaining, in the currency's smallest unit.")
    currency: str
    is_collected: bool = Field(description="Whether Stripe still tries to charge it.")
    hosted_invoice_url: Empty | Uri

    @classmethod
    def of(cls, invoice: Json) -> "OpenInvoice":
        """Read an invoice of Stripe."""
        return cls(
            id=stripe_id(invoice),
            amount=int(as_number(invoice.get("amount_remaining"))),
            currency=as_text(invoice.get("currency")),
            is_collected=bool(invoice.get("auto_advance")),
            hosted_invoice_url=as_text(invoice.get("hosted_invoice_url")),
        )


class SubscriptionResponse(ResponseModel):
    """The subscription after the change; its row in PocketBase shows the rest."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "sub_1a2b3c",
                    "status": "active",
                    "cancel_at": None,
                    "items": [{"id": "si_1a2b3c", "price": "price_1a2b3c", "quantity": 3}],
                }
            ]
        }
    )

    id: str
    status: str
    cancel_at: int | None = Field(description="Unix seconds of a planned or past end.")
    items: list[SubscriptionItem]
    scheduled_change: ScheduledChange | None = Field(
        default=None, description="The change planned for the period's end, if any."
    )

    @classmethod
    def of(cls, subscription: CustomerSubscription) -> Self:
        """Read a subscription."""
        body = subscription.body
        items = subscription.items
        ends = [as_unix(item.get("current_period_end")) for item in items]
        end = max(ends, default=0) if body.get("cancel_at_period_end") else 0
        return cls(
            id=subscription.stripe_id,
            status=subscription.status,
            cancel_at=as_unix(body.get("cancel_at")) or end or None,
            scheduled_change=ScheduledChange.of(subscription),
            items=[
                SubscriptionItem(
                    id=stripe_id(item),
                    price=stripe_id(as_dict(item.get("price"))),
                    quantity=item.get("quantity"),
                )
                for item in items
            ],
        )


class CancelResponse(SubscriptionResponse):
    """The subscription after the cancellation, with its unpaid invoices."""

    open_invoices: list[OpenInvoice] = Field(
        default_factory=list,
        description="Unpaid invoices. Stripe collects them until the subscription ends; "
        '`"when": "now"` stops the collection.',
    )
