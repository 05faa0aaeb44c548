"""What endpoints are given: the connections that all requests share, and the caller's token."""

from typing import Annotated

import stripe
from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field

from gateway.errors import Unauthenticated
from gateway.pocketbase import PocketBase
from gateway.rate_limits import RateLimits
from gateway.settings import Settings
from gateway.stripe_api import ApplyReading

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="PocketBase user token",
    description="What `pb.authStore.token` holds after a sign-in.",
)


async def _pocketbase(request: Request) -> PocketBase:
    found: PocketBase = request.app.state.pocketbase
    return found


async def _stripe(request: Request) -> stripe.StripeClient:
    found: stripe.StripeClient = request.app.state.stripe
    return found


async def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


async def _apply_reading(request: Request) -> ApplyReading:
    found: ApplyReading = request.app.state.apply_reading
    return found


async def _rate_limits(request: Request) -> RateLimits:
    found: RateLimits = request.app.state.rate_limits
    return found


async def _optional_token(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """The token, "" for somebody who sends none; one that can't be read is refused."""
    if credentials is None and "authorization" in request.headers:
        raise Unauthenticated
    return credentials.credentials if credentials else ""


async def _token(token: Annotated[str, Depends(_optional_token)]) -> str:
    if not token:
        raise Unauthenticated
    return token


#: Names the organization that is to pay, in a request's body.
OrganizationId = Annotated[
    str,
    Field(
        max_length=100,
        description="The organization that pays, which you must be allowed to update; else you.",
    ),
]

PocketBaseClient = Annotated[PocketBase, Depends(_pocketbase)]
StripeClient = Annotated[stripe.StripeClient, Depends(_stripe)]
GatewaySettings = Annotated[Settings, Depends(_settings)]
Limits = Annotated[RateLimits, Depends(_rate_limits)]
ReadingApplier = Annotated[ApplyReading, Depends(_apply_reading)]
Token = Annotated[str, Depends(_token)]
#: "" where the caller has not signed in.
OptionalToken = Annotated[str, Depends(_optional_token)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="The same for a request that is sent again: it then acts once, for a day.",
    ),
]
