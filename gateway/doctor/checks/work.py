"""The queue of background work: nothing parked, late or paused."""

from datetime import UTC, datetime

from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.units import format_number, format_seconds
from gateway.pocketbase.contracts.work import WorkStatus
from gateway.work.queue import WorkQueue

#: As in the alert rule for late work.
_MAX_DELAY_SECONDS = 300


async def _read_status(context: Context) -> WorkStatus:
    return await context.facts.share("work", lambda: WorkQueue(context.clients.pocketbase).status())


@check("work.parked", "No work is parked", "pocketbase", "hooks")
async def check_parked(context: Context) -> CheckResult:
    """Count items that wait for an operator."""
    parked = [each for each in (await _read_status(context)).counts if each.status == "parked"]
    if not parked:
        return ok("no item is parked")
    return failed(
        f"{format_number(sum(each.number for each in parked), 'item')} parked:"
        f" {', '.join(sorted(each.handler for each in parked))}.",
        "See `gateway work list --status parked`, then `gateway work retry` or `cancel`.",
    )


@check("work.late", "Work is done in time", "pocketbase", "hooks")
async def check_late(context: Context) -> CheckResult:
    """Read the delay of the earliest waiting item."""
    status = await _read_status(context)
    delay = status.read_oldest_delay(datetime.now(UTC))
    waiting = sum(each.number for each in status.counts if each.status == "waiting")
    found = f"{format_number(waiting, 'item')} waiting, the earliest {format_seconds(delay)} late"
    if delay > _MAX_DELAY_SECONDS:
        return failed(
            f"{found}.",
            "Start a gateway or worker that has the handlers (docs/runbooks/late-work.md).",
        )
    return ok(found)


@check("work.paused", "No handler is paused", "pocketbase", "hooks")
async def check_paused(context: Context) -> CheckResult:
    """Name the paused handlers."""
    paused = (await _read_status(context)).paused
    if paused:
        return warning(
            f"paused handlers: {', '.join(sorted(paused))}.",
            "Run `gateway work resume HANDLER` when they may continue.",
        )
    return ok("no handler is paused")
