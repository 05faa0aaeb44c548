"""Opens the shared services at the start, and runs the background work until the end."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from gateway.app.configuration import Configuration
from gateway.app.schedules import build_schedules
from gateway.app.start_checks import (
    require_columns,
    require_effects,
    require_mirrors,
    require_transforms,
)
from gateway.app.work_engine import run_engine
from gateway.app.work_handlers import build_work_handlers
from gateway.background import run_in_background
from gateway.billing.usage.recorder import UsageRecorder
from gateway.checkout.service import CheckoutService
from gateway.effects.registration import EffectRegistration
from gateway.events.maintenance import Maintenance
from gateway.events.replay import Replayer
from gateway.health.readiness import Readiness
from gateway.jobs.feed import JobFeed
from gateway.jobs.jobs import Jobs
from gateway.jobs.stream import EventStreams
from gateway.mirror.conflicts import ConflictResolver
from gateway.mirror.locks import ObjectLocks
from gateway.mirror.refresh import Refresher
from gateway.mirror.registry import extend_registry
from gateway.notifications.row_event import describe_subscriptions
from gateway.pocketbase import PocketBase, open_pocketbase_client
from gateway.pocketbase.kept_registration import KeptRegistration
from gateway.reconcile.background import BackgroundReconciliation
from gateway.reconcile.rate_limit import choose_rate
from gateway.retention.periods import Periods
from gateway.retention.retention import Retention
from gateway.schedules.ticker import Ticker
from gateway.services import Services
from gateway.stripe_api import PROBE, KeyCheck, open_stripe, read_object
from gateway.stripe_api.own_account import OwnAccount
from gateway.teams.seat_sync import SeatSync
from gateway.teams.vacancies import VacancyCheck
from gateway.transforms.registration import Registration
from gateway.transforms.runner import TransformRunner
from gateway.webhooks.event_writer import EventWriter
from gateway.work import WorkQueue
from gateway.work.parked import watch_parked


@asynccontextmanager
async def open_services(
    configuration: Configuration, state: Mapping[str, Any]
) -> AsyncIterator[Services]:
    """Provide the services; at the end, finish the writes that are under way.

    Args:
        state: what the app's lifespan yields, for transforms and handlers.
    """
    settings, notification_router = configuration.settings, configuration.notifications
    async with AsyncExitStack() as stack:
        stack.enter_context(extend_registry(configuration.mirrors, configuration.columns))
        pocketbase = await stack.enter_async_context(PocketBase(settings))
        records = await stack.enter_async_context(
            open_pocketbase_client(settings, pocketbase.session)
        )
        key_check = KeyCheck()
        client = await stack.enter_async_context(open_stripe(settings, key_check))
        locks = ObjectLocks()
        own_account = OwnAccount(client, settings.gateway_stripe_account, is_live=settings.is_live)
        work = WorkQueue(pocketbase)

        def open_writer(resolver: ConflictResolver) -> EventWriter:
            writer = EventWriter(pocketbase, resolver, notification_router, wake=work.wake)
            stack.push_async_callback(writer.close)
            return writer

        # A delivery never waits for Stripe: an event that needs a read is resolved after it.
        event_writer = open_writer(
            ConflictResolver(pocketbase, client, own_account, may_read=False)
        )
        # Separate from the writer of deliveries, so that a long replay does not delay them.
        replay_writer = open_writer(ConflictResolver(pocketbase, client, own_account, locks))
        rate = choose_rate(settings.stripe_secret_key.get_secret_value())
        reconciliation = BackgroundReconciliation(
            pocketbase, client, own_account, replay_writer, work, rate
        )
        registrations = _build_registrations(configuration, pocketbase)
        jobs = Jobs(pocketbase, work, configuration.jobs)
        feed = JobFeed(records, pocketbase.collection_names.of("work"))
        stack.push_async_callback(feed.close)
        sync_snapshot = Refresher(pocketbase, client, locks).apply
        table = configuration.transforms
        shared = {"pocketbase": records, "stripe": client, "settings": settings, "state": state}
        yield Services(
            settings=settings,
            pocketbase=pocketbase,
            records=records,
            stripe=client,
            key_check=key_check,
            rate_limits=configuration.rate_limits,
            terms_file=configuration.terms_file,
            sync_snapshot=sync_snapshot,
            readiness=Readiness(
                pocketbase, key_check.check, *(each.check for each in registrations)
            ),
            checkout=CheckoutService(
                pocketbase,
                client,
                sync_snapshot,
                configuration.terms_file,
                configuration.rate_limits,
                next(iter(settings.gateway_portal_configurations), ""),
            ),
            usage=UsageRecorder(pocketbase, client),
            own_account=own_account,
            event_writer=event_writer,
            replayer=Replayer(pocketbase, client, own_account, replay_writer),
            reconciliation=reconciliation,
            work=work,
            jobs=jobs,
            job_streams=EventStreams(jobs, feed),
            notifications=notification_router,
            transforms=TransformRunner(table.index() if table else {}, shared),
            registrations=registrations,
            state=state,
        )


def _build_registrations(
    configuration: Configuration, pocketbase: PocketBase
) -> tuple[KeptRegistration, ...]:
    """Return the registrations of the app's transforms and effects."""
    found: list[KeptRegistration] = []
    if configuration.transforms is not None:
        found.append(Registration(configuration.settings, pocketbase, configuration.transforms))
    if configuration.effects is not None:
        subscriptions = tuple(describe_subscriptions(configuration.handlers.values()))
        found.append(EffectRegistration(pocketbase, configuration.effects, subscriptions))
    return tuple(found)


@asynccontextmanager
async def run_background_work(
    services: Services, configuration: Configuration, *, is_worker: bool = False
) -> AsyncIterator[None]:
    """Do what the gateway does beside requests while the block runs.

    Args:
        is_worker: whether the process serves no requests.

    Raises:
        InvalidRegistration: PocketBase's collections do not fit what the app declares.
        StartError: packages for PostgreSQL are missing.
    """
    pocketbase, client, settings = services.pocketbase, services.stripe, services.settings
    await require_mirrors(pocketbase, configuration.mirrors)
    await require_columns(pocketbase, configuration.columns)
    await require_transforms(pocketbase, configuration.transforms)
    await require_effects(pocketbase, configuration.effects or ())
    seats = SeatSync(pocketbase, client, services.terms_file, settings.gateway_seat_sync_seconds)
    retention = Retention(pocketbase, services.work, Periods.of(settings))
    maintenance = Maintenance(services.replayer, services.work, retention.prune)
    schedules = build_schedules(services, configuration, maintenance)
    probe = partial(read_object, client, PROBE)
    handlers = build_work_handlers(services, configuration, schedules)
    ticker = Ticker(pocketbase, schedules, services.work.wake)
    async with (
        _keep_registered(() if is_worker else services.registrations),
        run_engine(
            settings,
            services.work,
            handlers,
            is_worker=is_worker,
            has_priority=services.event_writer.has_waited,
        ) as end_attempt,
        run_in_background(watch_parked(services.work)),
        run_in_background(ticker.run()),
        run_in_background(services.own_account.learn()),
        run_in_background(maintenance.run_once()),
        run_in_background(seats.run()),
        run_in_background(VacancyCheck(pocketbase).run()),
        run_in_background(services.key_check.watch(probe)),
    ):
        services.jobs.stop_here = end_attempt
        yield


@asynccontextmanager
async def _keep_registered(registrations: Iterable[KeptRegistration]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for registration in registrations:
            await stack.enter_async_context(registration.keep())
        yield
