"""What the requests about subscriptions and the portal work with."""

from dataclasses import dataclass
from typing import Annotated

import stripe
from fastapi import Depends, Request

from gateway.billing.preview_token import derive_keys
from gateway.dependencies import (
    GatewaySettings,
    Limits,
    PocketBaseClient,
    ReadingApplier,
    StripeClient,
)
from gateway.plans import Plans
from gateway.pocketbase import PocketBase
from gateway.rate_limits import RateLimits
from gateway.stripe_api import ApplyReading


@dataclass(frozen=True, slots=True)
class Clerk:
    """The connections, and the terms on which things are sold."""

    pocketbase: PocketBase
    stripe: stripe.StripeClient
    apply_reading: ApplyReading
    plans: Plans
    limits: RateLimits
    #: Sign and verify previews, see `gateway.billing.preview_token`.
    preview_keys: tuple[bytes, ...]


def _clerk(
    request: Request,
    pocketbase: PocketBaseClient,
    client: StripeClient,
    apply_reading: ReadingApplier,
    limits: Limits,
    settings: GatewaySettings,
) -> Clerk:
    keys = derive_keys(settings.webhook_secrets)
    return Clerk(pocketbase, client, apply_reading, request.app.state.plans, limits, keys)


BillingClerk = Annotated[Clerk, Depends(_clerk)]
