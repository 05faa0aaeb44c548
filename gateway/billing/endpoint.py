"""POST /portal."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gateway.billing.portal import create_portal_session
from gateway.buyer import read_buyer
from gateway.dependencies import GatewaySettings, PocketBaseClient, StripeClient, Token
from gateway.errors import (
    InvalidRequest,
    NoCustomer,
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


class PortalRequest(BaseModel):
    """Where the portal leads back to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    return_url: Url = Field(examples=["https://app.example.com/account"])


class PortalResponse(BaseModel):
    """The customer portal: send the browser to ``url``."""

    url: str = Field(examples=["https://billing.stripe.com/p/session/test_a1b2c3"])


router = APIRouter(tags=["billing"])


@router.post(
    "/portal", operation_id="create_portal", responses=problem_responses(*_ERRORS, NoCustomer)
)
async def create_portal(
    body: PortalRequest,
    token: Token,
    settings: GatewaySettings,
    pocketbase: PocketBaseClient,
    client: StripeClient,
) -> PortalResponse:
    """Open Stripe's customer portal for the signed-in user: cancel, resume, change plan or card."""
    check_redirect("return_url", body.return_url, settings.gateway_frontend_origins)
    buyer = await read_buyer(pocketbase, token)
    if not buyer.customer:
        raise NoCustomer
    return PortalResponse(url=await create_portal_session(client, buyer.customer, body.return_url))
