"""Clients and state that all requests of a process share: one frozen, typed value.

The lifespan opens it (`gateway.app.lifespan`); endpoints receive it by the dependency
`gateway.dependencies.ServicesDep`. The packages above it are imported for type checking only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import stripe

from gateway.http.rate_limits import RateLimits
from gateway.pocketbase import PocketBase
from gateway.pocketbase.api import PocketBaseClient
from gateway.pocketbase.kept_registration import KeptRegistration
from gateway.price_terms import TermsFile
from gateway.settings import Settings
from gateway.stripe_api import KeyCheck, SyncSnapshot
from gateway.stripe_api.own_account import OwnAccount
from gateway.work import WorkQueue

if TYPE_CHECKING:
    from gateway.billing.usage.recorder import UsageRecorder
    from gateway.checkout.service import CheckoutService
    from gateway.events.replay import Replayer
    from gateway.health.readiness import Readiness
    from gateway.jobs.jobs import Jobs
    from gateway.jobs.stream import EventStreams
    from gateway.notifications.router import NotificationRouter
    from gateway.reconcile.background import BackgroundReconciliation
    from gateway.transforms.runner import TransformRunner
    from gateway.webhooks.event_writer import EventWriter


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
    #: The seller's terms of prices.
    terms_file: TermsFile
    #: Writes the row of a snapshot.
    sync_snapshot: SyncSnapshot
    readiness: "Readiness"
    checkout: "CheckoutService"
    usage: "UsageRecorder"
    #: The Stripe account of the key; parses events.
    own_account: OwnAccount
    #: Writes the events of deliveries.
    event_writer: "EventWriter"
    replayer: "Replayer"
    reconciliation: "BackgroundReconciliation"
    #: Background work; the runner of this process is woken by `work.wake`.
    work: WorkQueue
    #: Starts, reads and cancels the app's jobs.
    jobs: "Jobs"
    #: The open event streams of jobs.
    job_streams: "EventStreams"
    #: None without mails and handlers.
    notifications: "NotificationRouter | None"
    transforms: "TransformRunner"
    #: The app's transforms and effects, as registered at PocketBase.
    registrations: tuple[KeptRegistration, ...]
    #: The mapping that the app's lifespan yields.
    state: Mapping[str, Any]
