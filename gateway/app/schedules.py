"""The schedules of this process: the gateway's own, and those of the app."""

from collections.abc import Awaitable, Callable, Iterator

from gateway.app.configuration import Configuration
from gateway.events.maintenance import Maintenance
from gateway.schedules.cron import Cron
from gateway.schedules.schedule import Schedule, Tick
from gateway.services import Services
from gateway.work.team_function import HandlerContext

_EVERY_TEN_MINUTES = "*/10 * * * *"


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


def _build(name: str, cron: str, work: Callable[[], Awaitable[object]]) -> Schedule:
    """Return a schedule that skips missed ticks: the next one does all the work."""

    async def run(tick: Tick, context: HandlerContext) -> None:
        await work()

    return Schedule(name=name, cron=Cron.of(cron), function=run, missed="skip", tries=1)
