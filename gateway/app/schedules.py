"""The schedules of this process: the gateway's own, and those of the app."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from gateway.app.configuration import Configuration
from gateway.events.maintenance import Maintenance
from gateway.notifications.handler_events import ROW_EVENTS
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.entitlements import LAPSE
from gateway.pocketbase.contracts.route import Empty
from gateway.pocketbase.hook_call import call_hook
from gateway.schedules.cron import Cron
from gateway.schedules.schedule import Schedule, Tick
from gateway.services import Services
from gateway.work.team_function import HandlerContext

_EVERY_TEN_MINUTES = "*/10 * * * *"
_EVERY_MINUTE = "* * * * *"


def build_schedules(
    services: Services, configuration: Configuration, maintenance: Maintenance
) -> tuple[Schedule, ...]:
    """Return all schedules."""
    return (*_build_own(services, configuration, maintenance), *configuration.schedules)


def _build_own(
    services: Services, configuration: Configuration, maintenance: Maintenance
) -> Iterator[Schedule]:
    yield _build("gateway.replay", _EVERY_TEN_MINUTES, maintenance.replay_failed)
    yield _build("gateway.retention", _EVERY_TEN_MINUTES, maintenance.prune)
    topics = {topic for handler in configuration.handlers.values() for topic in handler.topics}
    if topics.intersection(ROW_EVENTS):
        lapse = partial(_mark_lapsed, services.pocketbase)
        yield _build("gateway.lapsed-entitlements", _EVERY_MINUTE, lapse)


def _build(name: str, cron: str, work: Callable[[], Awaitable[object]]) -> Schedule:
    """Return a schedule that skips missed ticks: the next one does all the work."""

    async def run(tick: Tick, context: HandlerContext) -> None:
        await work()

    return Schedule(name=name, cron=Cron.of(cron), function=run, missed="skip", tries=1)


async def _mark_lapsed(pocketbase: PocketBase) -> None:
    await call_hook(pocketbase, LAPSE, Empty())
