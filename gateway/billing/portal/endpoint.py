"""POST /portal: opens Stripe's customer portal."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from gateway.billing.portal.session import (
    cancel_flow,
    choose_configuration,
    confirm_flow,
    create_portal_session,
    payment_method_flow,
    update_flow,
)
from gateway.billing.subscriptions.bodies import ItemChangeBody, StripeId, Url
from gateway.billing.subscriptions.change_policy import read_change
from gateway.billing.subscriptions.subscription import (
    NoSubscription,
    get_subscription,
    read_buyer_of,
    require_live,
)
from gateway.customers.buyer import Buyer, read_buyer
from gateway.customers.mark_deleted import CustomerGone, mark_deleted
from gateway.dependencies import OrganizationId, ServicesDep, SignedInRoute, Token
from gateway.errors import CALLER_ERRORS, Conflict, NoCustomer, NoOrganization
from gateway.http.problems import problem_responses
from gateway.http.redirects import check_redirect
from gateway.http.request_model import RequestModel
from gateway.http.response_types import ResponseModel
from gateway.services import Services
from gateway.stripe_api.fields import stripe_id

if TYPE_CHECKING:
    from stripe.params.billing_portal import SessionCreateParamsFlowData

#: Rounds per request. Each further one follows a customer that was deleted at Stripe.
_MAX_ROUNDS = 4
_OpenPortal = Callable[[str], Awaitable[str]]
_ERRORS = (*CALLER_ERRORS, NoOrganization, NoCustomer, NoSubscription, Conflict)


class PaymentMethodFlow(RequestModel):
    """Replace the payment method."""

    type: Literal["payment_method_update"]


class CancelFlow(RequestModel):
    """Cancel a subscription."""

    type: Literal["subscription_cancel"]
    subscription: StripeId


class UpdateFlow(RequestModel):
    """Choose another plan."""

    type: Literal["subscription_update"]
    subscription: StripeId


class ConfirmFlow(ItemChangeBody):
    """Confirm a plan or quantity that the request names."""

    type: Literal["subscription_update_confirm"]
    subscription: StripeId


class PortalRequest(RequestModel):
    """The return address of the portal, and the page at which it opens."""

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
    organization: OrganizationId = None
    configuration: StripeId | None = Field(
        default=None, description="One of GATEWAY_PORTAL_CONFIGURATIONS; by default the first."
    )
    flow: PaymentMethodFlow | CancelFlow | UpdateFlow | ConfirmFlow | None = Field(
        default=None, discriminator="type", description="By default, the portal's home page."
    )


class PortalResponse(ResponseModel):
    """The customer portal: redirect the browser to ``url``."""

    url: str = Field(examples=["https://billing.stripe.com/p/session/test_a1b2c3"])


router = APIRouter(tags=["billing"], route_class=SignedInRoute)


@router.post("/portal", operation_id="create_portal", responses=problem_responses(*_ERRORS))
async def create_portal(
    body: PortalRequest,
    token: Token,
    services: ServicesDep,
) -> PortalResponse:
    """Open Stripe's customer portal: cancel, resume, or change the plan or the card."""
    check_redirect("return_url", body.return_url, services.settings.gateway_frontend_origins)
    allowed = services.settings.gateway_portal_configurations
    configuration = choose_configuration(body.configuration or "", allowed)
    if body.flow is None or isinstance(body.flow, PaymentMethodFlow):
        buyer = await read_buyer_of(services, token, organization=body.organization or "")
        if not buyer.portal_customer:
            raise _no_customer(buyer)
        customer, flow = buyer.portal_customer, payment_method_flow() if body.flow else None
    else:
        customer, flow = await _read_flow(services, token, body.flow)
    open_portal = partial(
        create_portal_session,
        services.stripe,
        return_url=body.return_url,
        configuration=configuration,
        flow=flow,
    )
    return PortalResponse(url=await _open_for(services, token, body, customer, open_portal))


async def _open_for(
    services: Services, token: str, body: PortalRequest, customer: str, open_portal: _OpenPortal
) -> str:
    """Open the portal; if the customer was deleted at Stripe, for the customer that replaced it.

    Raises:
        NoCustomer: the payer has no customer.
    """
    for _ in range(_MAX_ROUNDS):
        if not customer:
            break
        try:
            return await open_portal(customer)
        except CustomerGone:
            await mark_deleted(services.pocketbase, customer)
        buyer = await read_buyer(services.pocketbase, token, organization=body.organization or "")
        # A flow's subscription was deleted with its customer.
        is_any_customer = body.flow is None or isinstance(body.flow, PaymentMethodFlow)
        customer = buyer.portal_customer if is_any_customer else ""
    raise NoCustomer


def _no_customer(buyer: Buyer) -> NoCustomer:
    """Return the 404; earlier purchases are linked when the e-mail address is verified."""
    if buyer.organization:
        return NoCustomer("This organization has not bought anything yet.")
    if buyer.verified or not buyer.email:
        return NoCustomer()
    return NoCustomer(
        "This account has no purchases. Verify your e-mail address to see purchases made with it."
    )


async def _read_flow(
    services: Services, token: str, flow: CancelFlow | UpdateFlow | ConfirmFlow
) -> "tuple[str, SessionCreateParamsFlowData]":
    """Return the subscription's customer, and the flow as Stripe's parameter."""
    subscription = await get_subscription(services, token, flow.subscription)
    require_live(subscription)
    customer = stripe_id(subscription.body.get("customer"))
    if isinstance(flow, CancelFlow):
        return customer, cancel_flow(subscription)
    if isinstance(flow, UpdateFlow):
        return customer, update_flow(subscription)
    return customer, confirm_flow(
        subscription, await read_change(services, token, subscription, flow.request)
    )
