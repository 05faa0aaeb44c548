"""What /portal and /subscriptions take and answer."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.billing.ending import Feedback, Reason
from gateway.billing.plan import PlanRequest
from gateway.billing.plan_change import PREVIEW_SECONDS, Preview
from gateway.billing.subscription import OwnedSubscription
from gateway.shapes import item_price, listing, mapping, second, stripe_id, text
from gateway.writes import Json

Url = Annotated[str, Field(min_length=1, max_length=2000)]
StripeId = Annotated[str, Field(min_length=1, max_length=255)]
PriceName = Annotated[
    str, Field(min_length=1, max_length=255, description="Price id, or the price's lookup key.")
]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]


class Body(BaseModel):
    """A request; a member that is not known is refused, so nobody thinks that it was heard."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PlanBody(Body):
    """Another plan, another quantity, or both."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"price": "pro_yearly", "quantity": 3}]}
    )

    price: PriceName | None = None
    quantity: Quantity | None = None
    item: StripeId | None = Field(
        default=None, description="The subscription item, needed when there are several."
    )

    @property
    def plan(self) -> PlanRequest:
        """The request as a value."""
        return PlanRequest(self.price or "", self.quantity, self.item or "")


class ChangeBody(PlanBody):
    """A change of plan, as it was previewed or without a preview."""

    proration_date: int | None = Field(
        default=None, ge=1, le=253402300799, description="From a preview: the amount is then its."
    )


class CancelBody(Body):
    """When to end, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"when": "period_end", "feedback": "too_expensive"}]}
    )

    when: Literal["period_end", "now"] = "period_end"
    feedback: Feedback | None = None
    comment: str = Field(default="", max_length=500)

    @property
    def reason(self) -> Reason:
        """The reason as a value."""
        return Reason(self.feedback, self.comment)


class ResumeBody(Body):
    """Nothing is needed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class DiscountBody(Body):
    """One of the two."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"promotion_code": "WELCOME20"}]})

    promotion_code: str | None = Field(default=None, min_length=1, max_length=255)
    coupon: StripeId | None = None

    @model_validator(mode="after")
    def _check_one(self) -> "DiscountBody":
        if (self.promotion_code is None) == (self.coupon is None):
            raise ValueError("give promotion_code or coupon")
        return self


class PreviewLine(BaseModel):
    """A line of the previewed invoice; amounts in the currency's smallest unit."""

    description: str
    amount: int
    price: str
    quantity: int | None

    @classmethod
    def of(cls, line: Json) -> "PreviewLine":
        """Read a line of Stripe's."""
        return cls(
            description=text(line.get("description")),
            amount=line["amount"],
            price=stripe_id(item_price(line)),
            quantity=line.get("quantity"),
        )


class PreviewResponse(BaseModel):
    """What a change costs, by Stripe's own reckoning."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "proration_date": 1763856000,
                    "expires_at": 1763856900,
                    "currency": "usd",
                    "due_now": 1133,
                    "total": 1133,
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

    proration_date: int = Field(description="Send it with the change, for the same amount.")
    expires_at: int = Field(description="Unix seconds; after that the change refuses the date.")
    currency: str
    due_now: int = Field(description="Charged at once, in the currency's smallest unit.")
    total: int = Field(description="Of the invoice; negative when credit is left for later ones.")
    lines: list[PreviewLine]

    @classmethod
    def of(cls, preview: Preview) -> "PreviewResponse":
        """Read a preview."""
        return cls(
            proration_date=preview.proration_date,
            expires_at=preview.proration_date + PREVIEW_SECONDS,
            currency=preview.currency,
            due_now=preview.due_now,
            total=preview.invoice.get("total") or 0,
            lines=[PreviewLine.of(line) for line in listing(preview.invoice.get("lines"))],
        )


class SubscriptionItem(BaseModel):
    """What is subscribed to."""

    id: str
    price: str
    quantity: int | None


class SubscriptionResponse(BaseModel):
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
    cancel_at: int | None = Field(description="Unix seconds at which it ends, if it is to end.")
    items: list[SubscriptionItem]

    @classmethod
    def of(cls, subscription: OwnedSubscription) -> "SubscriptionResponse":
        """Read a subscription."""
        body = subscription.body
        items = subscription.items
        ends = [second(item.get("current_period_end")) for item in items]
        end = max(ends, default=0) if body.get("cancel_at_period_end") else 0
        return cls(
            id=subscription.stripe_id,
            status=subscription.status,
            cancel_at=second(body.get("cancel_at")) or end or None,
            items=[
                SubscriptionItem(
                    id=stripe_id(item),
                    price=stripe_id(mapping(item.get("price"))),
                    quantity=item.get("quantity"),
                )
                for item in items
            ],
        )
