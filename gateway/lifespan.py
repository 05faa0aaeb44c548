"""Opens the shared services at the start, and runs the background work until the end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from gateway.background import run_meanwhile
from gateway.billing.usage import UsageRecorder
from gateway.checkout.customer_tasks import CustomerTasks
from gateway.checkout.organization_check import OrganizationCheck
from gateway.checkout.till import Till
from gateway.configuration import Configuration
from gateway.follow_ups.follow_ups import FollowUps
from gateway.health.readiness import Readiness
from gateway.notifications.runner import send_notifications
from gateway.pocketbase import PocketBase
from gateway.records.judge import Judge
from gateway.records.registration import Registration
from gateway.records.table import Table
from gateway.records.transform import Dependencies
from gateway.seats.seats import SeatKeeper
from gateway.services import Services
from gateway.stripe_api import PROBE, open_stripe, read_object
from gateway.webhooks.inbox import Inbox
from gateway.webhooks.operations.replay import Replayer
from gateway.webhooks.operations.upkeep import Upkeep
from gateway.webhooks.readings import Readings
from gateway.webhooks.reconcile.background import BackgroundReconciliation
from gateway.webhooks.settlement import Settlement
from gateway.webhooks.turns import Turns


@asynccontextmanager
async def run_services(configuration: Configuration) -> AsyncIterator[Services]:
    """Provide the services, with the background work running.

    At the end, the writes that are under way are finished before the connections close.
    """
    settings, table = configuration.settings, configuration.transforms
    async with AsyncExitStack() as stack:
        pocketbase = await stack.enter_async_context(PocketBase(settings))
        client = await stack.enter_async_context(open_stripe(settings))
        turns = Turns()
        settlement = Settlement(
            pocketbase, client, turns, own_account=settings.gateway_stripe_account
        )
        inbox = Inbox(pocketbase, settlement, configuration.notifications)
        stack.push_async_callback(inbox.close)
        # An inbox of its own: a long replay must not use up the room that deliveries have.
        replay_inbox = Inbox(pocketbase, settlement, configuration.notifications)
        stack.push_async_callback(replay_inbox.close)
        reconciliation = BackgroundReconciliation(pocketbase, client, replay_inbox)
        stack.push_async_callback(reconciliation.close)
        apply_reading = Readings(pocketbase, client, turns).apply
        dependencies = await stack.enter_async_context(
            (table or Table()).open(Dependencies(pocketbase, settings))
        )
        registration = Registration(settings, pocketbase, table) if table else None
        services = Services(
            settings=settings,
            pocketbase=pocketbase,
            stripe=client,
            rate_limits=configuration.rate_limits,
            price_terms=configuration.price_terms,
            apply_reading=apply_reading,
            readiness=Readiness(
                pocketbase, client.key_check.check, registration.check if registration else None
            ),
            checkout=Till(
                pocketbase,
                client,
                apply_reading,
                configuration.price_terms,
                configuration.rate_limits,
                next(iter(settings.gateway_portal_configurations), ""),
            ),
            usage=UsageRecorder(pocketbase, client),
            events=inbox,
            replayer=Replayer(pocketbase, client, replay_inbox),
            reconciliation=reconciliation,
            notifications=configuration.notifications,
            transforms=Judge(table.index() if table else {}, dependencies),
        )
        await stack.enter_async_context(run_meanwhile(settlement.own_account.learn()))
        if registration:
            await stack.enter_async_context(registration.keep())
        await stack.enter_async_context(_run_background_work(services, configuration))
        yield services


@asynccontextmanager
async def _run_background_work(
    services: Services, configuration: Configuration
) -> AsyncIterator[None]:
    pocketbase, client, settings = services.pocketbase, services.stripe, services.settings
    tasks = CustomerTasks(
        pocketbase, client, settings.gateway_on_user_delete, OrganizationCheck(pocketbase)
    )
    seats = SeatKeeper(pocketbase, client, services.price_terms, settings.gateway_seats_seconds)
    upkeep = Upkeep(pocketbase, services.replayer, settings.gateway_keep_payload_days)
    probe = partial(read_object, client, PROBE)
    async with (
        send_notifications(services, configuration.mail_templates),
        run_meanwhile(upkeep.run()),
        run_meanwhile(tasks.run()),
        run_meanwhile(seats.run()),
        run_meanwhile(FollowUps(pocketbase).run()),
        run_meanwhile(client.key_check.watch(probe)),
    ):
        yield
