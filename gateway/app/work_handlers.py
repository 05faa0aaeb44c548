"""The work handlers of this process: what each capability and the app contribute."""

from collections.abc import Iterable, Iterator

from gateway.app.configuration import Configuration
from gateway.bulk.builtin_jobs import build_transform_job
from gateway.checkout.close_page import PageCloser
from gateway.customers.sync import build_customer_sync
from gateway.effects.handler import build_effect_handlers
from gateway.events.resolution import build_resolution
from gateway.jobs.run import build_handler
from gateway.notifications.work_handlers import build_event_handlers
from gateway.schedules.handler import build_schedule_handlers
from gateway.schedules.schedule import Schedule
from gateway.services import Services
from gateway.work import WorkHandler
from gateway.work.parts import build_part_handlers
from gateway.work.team_function import HandlerContext


def build_work_handlers(
    services: Services, configuration: Configuration, schedules: Iterable[Schedule]
) -> list[WorkHandler]:
    """Return all handlers; each has a name of its own."""
    return list(_contribute(services, configuration, schedules))


def _contribute(
    services: Services, configuration: Configuration, schedules: Iterable[Schedule]
) -> Iterator[WorkHandler]:
    """Yield the handlers of one capability after the other."""
    shared = {
        "pocketbase": services.records,
        "stripe": services.stripe,
        "settings": services.settings,
        "state": services.state,
    }
    own = build_transform_job(services.pocketbase)
    for job in (*configuration.jobs.values(), own):
        yield build_handler(job, shared)
    yield from build_event_handlers(services, configuration.mail_templates)
    yield build_resolution(services.replayer)
    policy = services.settings.gateway_user_deletion_policy
    yield build_customer_sync(services.pocketbase, services.stripe, policy)
    yield PageCloser(services.pocketbase, services.stripe, services.terms_file).handler
    yield from build_part_handlers(services.pocketbase)
    yield services.reconciliation.handler
    context = HandlerContext(
        "", services.records, services.stripe, services.settings, services.state
    )
    yield from build_effect_handlers(configuration.effects or (), context)
    yield from build_schedule_handlers(schedules, context)
