"""What /checkout takes and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.checkout.session_params import UiMode
from gateway.dependencies import OrganizationId
from gateway.http.response_types import Empty, RecordId, ResponseModel, Text, Uri

Url = Annotated[str, Field(min_length=1, max_length=2000)]

#: The languages of Stripe's page.
Locale = Literal[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr",
    "fr-CA", "hi-IN", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl",
    "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
]  # fmt: skip


class _Body(BaseModel):
    # Mode, currency and amount are the server's to decide: a field we don't know is refused.
    model_config = ConfigDict(extra="forbid", strict=True)


class CheckoutItem(_Body):
    """One thing to buy."""

    price: str = Field(
        min_length=1, max_length=255, description="Stripe price id, or the price's lookup key."
    )
    quantity: int = Field(default=1, ge=1, le=1_000_000)


class SetupRequest(_Body):
    """Where a payment method is saved, and where to go from there."""

    success_url: Url | None = Field(
        default=None,
        description="Of a hosted page; `{CHECKOUT_SESSION_ID}` in it is replaced by Stripe.",
    )
    cancel_url: Url | None = Field(default=None, description="Of a hosted page.")
    return_url: Url | None = Field(
        default=None, description="Of the other pages; `{CHECKOUT_SESSION_ID}` as above."
    )
    ui_mode: UiMode = Field(
        default="hosted_page",
        description="Stripe's page, Stripe's form on a page of yours, or your own form.",
    )
    locale: Locale | None = Field(default=None, description="By default the browser's.")
    organization: OrganizationId = None


class CheckoutRequest(SetupRequest):
    """What to buy, where, and where to go from there."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [{"price": "pro_monthly", "quantity": 1}],
                    "success_url": "https://app.example.com/thanks?session={CHECKOUT_SESSION_ID}",
                    "cancel_url": "https://app.example.com/pricing",
                }
            ]
        }
    )

    items: list[CheckoutItem] = Field(min_length=1, max_length=20)
    promotion_code: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="As a customer types it; where it is not given, Stripe's page asks for one.",
        examples=["WELCOME20"],
    )


class CheckoutResponse(ResponseModel):
    """The Checkout session."""

    id: str = Field(examples=["cs_test_a1b2c3"])
    url: Empty | Uri = Field(
        description="Where to send the browser; empty but for hosted_page.",
        examples=["https://checkout.stripe.com/c/pay/cs_test_a1b2c3"],
    )
    client_secret: Empty | Text = Field(
        default="",
        description="For Stripe.js on a page of yours; empty for hosted_page.",
        examples=["", "cs_test_a1b2c3_secret_d4e5f6"],
    )


class CheckoutOutcome(ResponseModel):
    """What came of a session. The ids are those of PocketBase records, "" where there is none."""

    id: str = Field(examples=["cs_test_a1b2c3"])
    mode: str = Field(examples=["payment", "subscription", "setup"])
    status: str = Field(examples=["open", "complete", "expired"])
    payment_status: str = Field(examples=["paid", "unpaid", "no_payment_required"])
    checkout_session: RecordId = Field(examples=["3f0c9a1be2d4577"])
    subscription: Empty | RecordId
    payment: Empty | RecordId
    setup_intent: Empty | RecordId
    invoice: Empty | RecordId
