"""Stored events of Stripe: applied, and soon after they were created."""

from datetime import UTC, datetime, timedelta

from gateway.dates import from_column
from gateway.doctor.check import CheckResult, check, failed, ok, warning
from gateway.doctor.context import Context
from gateway.doctor.units import format_number, format_seconds
from gateway.events.stored_events import Selection, list_events

#: As in the alert rule EventsLag.
_MAX_LAG_SECONDS = 300
_NEWEST_EVENTS = 50


@check("events.failed", "No event has failed", "pocketbase", "hooks")
async def check_failed(context: Context) -> CheckResult:
    """Count the failed events."""
    number = (await context.facts.read_version()).failed
    if not number:
        return ok("no event has failed")
    return failed(
        f"{format_number(number, 'event')} could not be applied.",
        "See `gateway events list --failed`, correct the cause, then run `gateway events retry`.",
    )


@check("events.unresolved", "No event waits for Stripe", "pocketbase", "hooks")
async def check_unresolved(context: Context) -> CheckResult:
    """Count the events that wait for a read from Stripe."""
    number = (await context.facts.read_version()).unresolved
    if not number:
        return ok("no event waits for a read from Stripe")
    return warning(
        f"{format_number(number, 'event')} not resolved: they wait for a read from Stripe.",
        "Run doctor again; if they stay, see `gateway work list` and stripe.key.",
    )


@check("events.lag", "Events arrive soon", "pocketbase", "hooks")
async def check_lag(context: Context) -> CheckResult:
    """Compare the times at which the newest events were created and received."""
    since = datetime.now(UTC) - timedelta(days=1)
    events = await list_events(context.clients.pocketbase, Selection(since=since), _NEWEST_EVENTS)
    lags = [
        (from_column(each["received"]) - from_column(each["created"])).total_seconds()
        for each in events
    ]
    if not lags:
        return ok("no event in 24 hours")
    found = f"the slowest of the last {len(lags)} events arrived after {format_seconds(max(lags))}"
    if max(lags) > _MAX_LAG_SECONDS:
        return warning(
            f"{found}.",
            "If no catch-up ran, see docs/runbooks/event-lag.md and webhooks.deliveries.",
        )
    return ok(found)
