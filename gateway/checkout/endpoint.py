"""POST /checkout."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gateway.buyer import read_buyer
from gateway.checkout.customer import ensure_customer
from gateway.checkout.session import Item, create_session, resolve_items
from gateway.dependencies import GatewaySettings, PocketBaseClient, StripeClient, Token
from gateway.errors import (
    InvalidRequest,
    PocketBaseUnavailable,
    StripeRefused,
    StripeUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
)
from gateway.problems import problem_responses
from gateway.redirects import check_redirect

_ERRORS = (
    InvalidRequest,
    Unauthenticated,
    UnsupportedMediaType,
    StripeRefused,
    PocketBaseUnavailable,
    StripeUnavailable,
)
Url = Annotated[str, Field(min_length=1, max_length=2000)]


class _Body(BaseModel):
    # Mode, currency and amount are the server's to decide: a field we don't know is refused.
    model_config = ConfigDict(extra="forbid", strict=True)


class CheckoutItem(_Body):
    """One thing to buy."""

    price: str = Field(
        min_length=1, max_length=255, description="Stripe price id, or the price's lookup key."
    )
    quantity: int = Field(default=1, ge=1, le=1_000_000)


class CheckoutRequest(_Body):
    """What to buy, and where to go from there."""

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
    success_url: Url = Field(description="`{CHECKOUT_SESSION_ID}` in it is replaced by Stripe.")
    cancel_url: Url


class CheckoutResponse(BaseModel):
    """The Checkout session: send the browser to ``url``."""

    id: str = Field(examples=["cs_test_a1b2c3"])
    url: str = Field(examples=["https://checkout.stripe.com/c/pay/cs_test_a1b2c3"])


router = APIRouter(tags=["checkout"])


@router.post("/checkout", operation_id="create_checkout", responses=problem_responses(*_ERRORS))
async def create_checkout(
    body: CheckoutRequest,
    token: Token,
    settings: GatewaySettings,
    pocketbase: PocketBaseClient,
    client: StripeClient,
) -> CheckoutResponse:
    """Start a purchase for the signed-in user.

    The prices decide whether it becomes a subscription or a single payment; what they cost is
    Stripe's to say. The outcome arrives as PocketBase records (`subscriptions`, `payments`).
    """
    origins = settings.gateway_frontend_origins
    check_redirect("success_url", body.success_url, origins)
    check_redirect("cancel_url", body.cancel_url, origins)
    items = [Item(item.price, item.quantity) for item in body.items]
    buyer = await read_buyer(pocketbase, token, [item.price for item in items])
    lines = resolve_items(items, buyer.prices)
    customer = await ensure_customer(client, pocketbase, buyer, token)
    session = await create_session(
        client,
        buyer,
        customer,
        lines,
        success_url=body.success_url,
        cancel_url=body.cancel_url,
    )
    return CheckoutResponse(id=session.id, url=session.url or "")
