"""POST /portal."""

from typing import TYPE_CHECKING, Literal

import stripe
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gateway.billing.bodies import Body, PlanBody, StripeId, Url
from gateway.billing.plan import plan_change
from gateway.billing.portal import (
    cancel_flow,
    choose_configuration,
    confirm_flow,
    create_portal_session,
    payment_method_flow,
    update_flow,
)
from gateway.billing.subscription import NoSubscription, read_owned, require_live
from gateway.buyer import read_buyer
from gateway.dependencies import GatewaySettings, PocketBaseClient, StripeClient, Token
from gateway.errors import (
    Conflict,
    InvalidRequest,
    NoCustomer,
    PocketBaseUnavailable,
    StripeRefused,
    StripeUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
)
from gateway.pocketbase import PocketBase
from gateway.problems import problem_responses
from gateway.redirects import check_redirect

if TYPE_CHECKING:
    from stripe.params.billing_portal import SessionCreateParamsFlowData

_ERRORS = (
    InvalidRequest,
    Unauthenticated,
    NoCustomer,
    NoSubscription,
    Conflict,
    UnsupportedMediaType,
    StripeRefused,
    PocketBaseUnavailable,
    StripeUnavailable,
)


class PaymentMethodFlow(Body):
    """Change the card."""

    type: Literal["payment_method_update"]


class CancelFlow(Body):
    """Cancel a subscription."""

    type: Literal["subscription_cancel"]
    subscription: StripeId


class UpdateFlow(Body):
    """Choose another plan."""

    type: Literal["subscription_update"]
    subscription: StripeId


class ConfirmFlow(PlanBody):
    """Confirm a plan or quantity that is already chosen."""

    type: Literal["subscription_update_confirm"]
    subscription: StripeId


class PortalRequest(Body):
    """Where the portal leads back to, and at which page it opens."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"return_url": "https://app.example.com/account"},
                {
                    "return_url": "https://app.example.com/account",
                    "flow": {"type": "subscription_cancel", "subscription": "sub_1a2b3c"},
                },
            ]
        }
    )

    return_url: Url
    configuration: StripeId | None = Field(
        default=None, description="One of the settings' portal configurations."
    )
    flow: PaymentMethodFlow | CancelFlow | UpdateFlow | ConfirmFlow | None = Field(
        default=None, discriminator="type", description="By default, the portal's own first page."
    )


class PortalResponse(BaseModel):
    """The customer portal: send the browser to ``url``."""

    url: str = Field(examples=["https://billing.stripe.com/p/session/test_a1b2c3"])


router = APIRouter(tags=["billing"])


@router.post("/portal", operation_id="create_portal", responses=problem_responses(*_ERRORS))
async def create_portal(
    body: PortalRequest,
    token: Token,
    settings: GatewaySettings,
    pocketbase: PocketBaseClient,
    client: StripeClient,
) -> PortalResponse:
    """Open Stripe's customer portal for the signed-in user: cancel, resume, change plan or card."""
    check_redirect("return_url", body.return_url, settings.gateway_frontend_origins)
    allowed = settings.gateway_portal_configurations
    configuration = choose_configuration(body.configuration or "", allowed)
    if body.flow is None or isinstance(body.flow, PaymentMethodFlow):
        buyer = await read_buyer(pocketbase, token)
        if not buyer.customer:
            raise NoCustomer
        customer, flow = buyer.customer, payment_method_flow() if body.flow else None
    else:
        customer, flow = await _read_flow(body.flow, token, pocketbase, client)
    return PortalResponse(
        url=await create_portal_session(
            client, customer, body.return_url, configuration=configuration, flow=flow
        )
    )


async def _read_flow(
    asked: CancelFlow | UpdateFlow | ConfirmFlow,
    token: str,
    pocketbase: PocketBase,
    client: stripe.StripeClient,
) -> "tuple[str, SessionCreateParamsFlowData]":
    """Return the subscription's customer, and the flow as Stripe takes it."""
    price = asked.price if isinstance(asked, ConfirmFlow) else None
    prices = [price] if price else []
    owned = await read_owned(client, pocketbase, token, asked.subscription, prices)
    require_live(owned)
    customer = str(owned.body["customer"])
    if isinstance(asked, CancelFlow):
        return customer, cancel_flow(owned)
    if isinstance(asked, UpdateFlow):
        return customer, update_flow(owned)
    return customer, confirm_flow(owned, plan_change(owned, asked.plan, owned.buyer.prices))
