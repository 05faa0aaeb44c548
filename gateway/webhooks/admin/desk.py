"""What the admin API works with, made when the gateway starts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import stripe

from gateway.background import run_meanwhile
from gateway.pocketbase import PocketBase
from gateway.settings import Settings
from gateway.webhooks.inbox import Announcer, Inbox
from gateway.webhooks.operations.customer_move import CustomerMover
from gateway.webhooks.operations.replay import Replayer
from gateway.webhooks.operations.upkeep import Upkeep
from gateway.webhooks.readings import Readings
from gateway.webhooks.reconcile.background import BackgroundReconciliation
from gateway.webhooks.settlement import Settlement
from gateway.webhooks.turns import Turns


@dataclass(frozen=True, slots=True)
class Desk:
    """The operator's tools."""

    pocketbase: PocketBase
    replayer: Replayer
    reconciliation: BackgroundReconciliation
    mover: CustomerMover
    keep_days: int


@asynccontextmanager
async def open_desk(
    settings: Settings,
    pocketbase: PocketBase,
    client: stripe.StripeClient,
    settlement: Settlement,
    announcer: Announcer | None,
) -> AsyncIterator[Desk]:
    """Provide the tools, and keep up the mirror meanwhile."""
    # An inbox of its own: a long replay must not use up the room that deliveries have.
    inbox = Inbox(pocketbase, settlement, announcer)
    replayer = Replayer(pocketbase, client, inbox)
    reconciliation = BackgroundReconciliation(pocketbase, client, inbox)
    mover = CustomerMover(pocketbase, client, Readings(pocketbase, client, Turns()).apply)
    keep_days = settings.gateway_keep_payload_days
    try:
        async with run_meanwhile(Upkeep(pocketbase, replayer, keep_days).run()):
            yield Desk(pocketbase, replayer, reconciliation, mover, keep_days)
    finally:
        await reconciliation.close()
        await inbox.close()
