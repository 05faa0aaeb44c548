"""The clients and state that all requests of one process share: one frozen, typed value.

The lifespan opens it (`gateway.lifespan`), endpoints receive it by a dependency
(`gateway.dependencies.ServicesDep`). Capabilities are named for their types only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import stripe

from gateway.plans import Plans
from gateway.pocketbase import PocketBase
from gateway.pocketbase.api import PocketBaseClient
from gateway.rate_limits import RateLimits
from gateway.settings import Settings
from gateway.stripe_api import ApplyReading, KeyCheck

if TYPE_CHECKING:
    from gateway.billing.usage import UsageRecorder
    from gateway.checkout.till import Till
    from gateway.health.readiness import Readiness
    from gateway.notifications.announcer import Announcer
    from gateway.records.judge import Judge
    from gateway.records.registration import Registration
    from gateway.webhooks.inbox import Inbox
    from gateway.webhooks.operations.replay import Replayer
    from gateway.webhooks.reconcile.background import BackgroundReconciliation
    from gateway.webhooks.settlement import Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Clients, and the parts of the gateway that keep state between requests."""

    settings: Settings
    #: Calls PocketBase as the gateway's superuser; for the gateway's own routes of the hooks.
    pocketbase: PocketBase
    #: The public client, as the same superuser.
    records: PocketBaseClient
    stripe: stripe.StripeClient
    key_check: KeyCheck
    rate_limits: RateLimits
    #: The terms on which prices are sold.
    price_terms: Plans
    #: Writes the row of an object that was just read from Stripe.
    apply_reading: ApplyReading
    readiness: "Readiness"
    checkout: "Till"
    usage: "UsageRecorder"
    conflicts: "Settlement"
    #: Writes the events of deliveries.
    events: "Inbox"
    replayer: "Replayer"
    reconciliation: "BackgroundReconciliation"
    #: None when there are neither mails nor handlers.
    notifications: "Announcer | None"
    transforms: "Judge"
    #: None when the app's transforms are not registered: there is no app.
    registration: "Registration | None"
    #: What the app's lifespan yields.
    state: Mapping[str, Any]
