"""Request and response bodies of /checkout."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gateway.checkout.session_params import UiMode
from gateway.dependencies import OrganizationId
from gateway.http.request_model import RequestModel
from gateway.http.response_types import Empty, RecordId, ResponseModel, Text, Uri

Url = Annotated[str, Field(min_length=1, max_length=2000)]

#: The languages that Stripe Checkout supports.
Locale = Literal[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr",
    "fr-CA", "hi-IN", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl",
    "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
]  # fmt: skip


class CheckoutItem(RequestModel):
    """A price and a quantity."""

    price: str = Field(
        min_length=1, max_length=255, description="Stripe price id, or the price's lookup key."
    )
    quantity: int = Field(default=1, ge=1, le=1_000_000)


class SetupRequest(RequestModel):
    """The page on which a payment method is saved, and its redirects."""

    success_url: Url | None = Field(
        default=None,
        description="For `hosted_page`. Stripe replaces `{CHECKOUT_SESSION_ID}` in it.",
    )
    cancel_url: Url | None = Field(default=None, description="For `hosted_page`.")
    return_url: Url | None = Field(
        default=None,
        description="For the other modes. Stripe replaces `{CHECKOUT_SESSION_ID}` in it.",
    )
    ui_mode: UiMode = Field(
        default="hosted_page",
        description="Stripe's page, Stripe's form embedded in your page, or your own form.",
    )
    locale: Locale | None = Field(default=None, description="Default: the browser's language.")
    organization: OrganizationId = None


class CheckoutRequest(SetupRequest):
    """The items to buy, the page, and its redirects."""

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
        description="As the customer types it. Without it, Stripe's page can ask for one.",
        examples=["WELCOME20"],
    )


class CheckoutResponse(ResponseModel):
    """The Checkout Session."""

    id: str = Field(examples=["cs_test_a1b2c3"])
    url: Empty | Uri = Field(
        description="The page to which to redirect the browser; empty unless `hosted_page`.",
        examples=["https://checkout.stripe.com/c/pay/cs_test_a1b2c3"],
    )
    client_secret: Empty | Text = Field(
        default="",
        description="For Stripe.js; empty for `hosted_page`.",
        examples=["", "cs_test_a1b2c3_secret_d4e5f6"],
    )


class CheckoutOutcome(ResponseModel):
    """The state of a session, and the ids of its PocketBase records; "" for none."""

    id: str = Field(examples=["cs_test_a1b2c3"])
    mode: str = Field(examples=["payment", "subscription", "setup"])
    status: str = Field(examples=["open", "complete", "expired"])
    payment_status: str = Field(examples=["paid", "unpaid", "no_payment_required"])
    checkout_session: RecordId = Field(examples=["3f0c9a1be2d4577"])
    subscription: Empty | RecordId
    payment: Empty | RecordId
    setup_intent: Empty | RecordId
    invoice: Empty | RecordId
