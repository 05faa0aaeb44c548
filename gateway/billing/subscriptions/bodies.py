"""Request bodies of /portal and /subscriptions; `responses` has the responses."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, PlainValidator, model_validator

from gateway.billing.subscriptions.cancellation import Feedback, Reason
from gateway.billing.subscriptions.item_change import ChangeRequest, When
from gateway.http.request_model import RequestModel

Url = Annotated[str, Field(min_length=1, max_length=2000)]
StripeId = Annotated[str, Field(min_length=1, max_length=255)]
PriceName = Annotated[
    str, Field(min_length=1, max_length=255, description="Price id, or the price's lookup key.")
]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]


def _check_signed_date(value: object) -> str | int | None:
    """Accept a number, so that the error is `preview_required` instead of a type error."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if value is None or is_number or (isinstance(value, str) and 0 < len(value) <= 2000):
        return value  # type: ignore[return-value]
    raise ValueError("send the `proration_date` of a preview unchanged")


SignedDate = Annotated[
    str | int | None,
    PlainValidator(_check_signed_date, json_schema_input_type=str | None),
]


class ItemChangeBody(RequestModel):
    """A new price, a new quantity, or both."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"price": "pro_yearly", "quantity": 3}]}
    )

    price: PriceName | None = None
    quantity: Quantity | None = None
    item: StripeId | None = Field(
        default=None, description="The subscription item, needed when there are several."
    )

    @property
    def request(self) -> ChangeRequest:
        """The request as a value."""
        return ChangeRequest(self.price or "", self.quantity, self.item or "")


class PreviewBody(ItemChangeBody):
    """A change, and the time at which it takes effect."""

    when: When = Field(
        default="now",
        description="`period_end`: takes effect with the next period, without proration.",
    )

    @property
    def request(self) -> ChangeRequest:
        """The request as a value."""
        return replace(super().request, when=self.when)


class ChangeBody(PreviewBody):
    """A change, with or without a preview."""

    proration_date: SignedDate = Field(
        default=None,
        description="`proration_date` of a preview of this change, unchanged: the change then "
        "costs the previewed amount.",
    )


class CancelBody(RequestModel):
    """The time of the cancellation and its reason."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"when": "period_end", "feedback": "too_expensive"}]}
    )

    when: Literal["period_end", "now"] = "period_end"
    feedback: Feedback | None = None
    comment: str | None = Field(default=None, max_length=500)

    @property
    def reason(self) -> Reason:
        """The reason as a value."""
        return Reason(self.feedback, self.comment or "")


class ResumeBody(RequestModel):
    """An empty object."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class DiscountBody(RequestModel):
    """A promotion code or a coupon."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"promotion_code": "WELCOME20"}]})

    promotion_code: str | None = Field(default=None, min_length=1, max_length=255)
    coupon: StripeId | None = None

    @model_validator(mode="after")
    def _check_one(self) -> "DiscountBody":
        if (self.promotion_code is None) == (self.coupon is None):
            raise ValueError("send either promotion_code or coupon")
        return self
