"""``gateway events``: list, show, replay and prune stored events of Stripe."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import click

from gateway.cli.connection import (
    Connection,
    PocketBaseConnection,
    fail,
    run,
    run_without_stripe,
)
from gateway.dates import parse_time
from gateway.errors import InvalidRequest
from gateway.events.replay import Replayed, Replayer
from gateway.events.retention import prune as prune_payloads
from gateway.events.stored_events import Selection, list_events, read_event
from gateway.json_codec import dump_text
from gateway.rows import Json
from gateway.settings import MAX_DAYS

_TIME = "TIME"
#: Outcomes that end a replay with exit code 1.
_FAILURES = ("failed", "error", "pruned", "unknown")


@click.group()
def events() -> None:
    """Stored events of Stripe.

    A TIME is 2026-11-23, 2026-11-23T09:30:00Z (UTC without a zone), or 30m, 2h, 7d ago; it is
    compared with the event's `created` at Stripe.
    """


def _select(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select events; the command receives them as ``selection``."""

    def with_selection(
        type: str,
        object_id: str,
        since: str,
        until: str,
        failed: bool,
        outcome: str,
        **others: Any,
    ) -> None:
        try:
            selection = Selection(
                type=type,
                object_id=object_id,
                outcome="failed" if failed else outcome,
                since=parse_time(since, datetime.now(UTC)) if since else None,
                until=parse_time(until, datetime.now(UTC)) if until else None,
            )
        except InvalidRequest as error:
            fail(error.detail)
        command(selection=selection, **others)

    with_selection.__doc__ = command.__doc__
    with_selection.__name__ = command.__name__
    found: Callable[..., None] = with_selection
    for option in (
        click.option("--outcome", default="", help="applied, superseded, ignored, connect, …"),
        click.option("--failed", is_flag=True, help="Only failed events."),
        click.option("--until", default="", metavar=_TIME, help="Created before TIME."),
        click.option("--since", default="", metavar=_TIME, help="Created at TIME or later."),
        click.option("--object", "object_id", default="", metavar="ID", help="Of this object."),
        click.option("--type", default="", help="invoice.paid, or a pattern: invoice.*"),
    ):
        found = option(found)
    return found


@events.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--after", default="", metavar="EVT", help="Continue after this event.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@_select
def list_(selection: Selection, limit: int, after: str, as_json: bool) -> None:
    """List events, newest first."""

    async def command(connection: PocketBaseConnection) -> None:
        for event in await list_events(connection.pocketbase, selection, limit, after=after):
            click.echo(dump_text(event) if as_json else _line(event))

    run_without_stripe(command)


@events.command()
@click.argument("event")
@click.option("--json", "as_json", is_flag=True, help="The row as one JSON object.")
def show(event: str, as_json: bool) -> None:
    """Show one event with its payload."""

    async def command(connection: PocketBaseConnection) -> None:
        row = await read_event(connection.pocketbase, event)
        if as_json:
            click.echo(dump_text(row))
            return
        payload = row.pop("payload")
        for name in (name for name in row if name not in ("id", "collectionId", "collectionName")):
            click.echo(f"{name + ':':13}{row[name]}")
        click.echo(dump_text(payload, is_indented=True) if payload else "The payload was pruned.")

    run_without_stripe(command)


@events.command()
@click.argument("ids", nargs=-1, metavar="[EVT]…")
@click.option("--dry-run", is_flag=True, help="Only list the events that would be handled.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@_select
def replay(ids: tuple[str, ...], selection: Selection, dry_run: bool, as_json: bool) -> None:
    """Handle stored events again: these, or all that the options select.

    Rows are written with this release's projections, unless they show a newer state.
    """
    if bool(ids) == (selection != Selection()):
        fail("Give ids of events, or at least one option that selects events, but not both.")

    async def command(connection: Connection) -> None:
        replayer = Replayer(
            connection.pocketbase,
            connection.client,
            connection.own_account,
            connection.event_writer,
        )
        results = (
            replayer.replay_ids(ids, dry_run=dry_run)
            if ids
            else replayer.replay_selected(selection, dry_run=dry_run)
        )
        await _report(results, as_json)

    run(command)


@events.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def retry(as_json: bool) -> None:
    """Handle all failed events again."""

    async def command(connection: Connection) -> None:
        replayer = Replayer(
            connection.pocketbase,
            connection.client,
            connection.own_account,
            connection.event_writer,
        )
        await _report(replayer.replay_selected(Selection(outcome="failed")), as_json)

    run(command)


@events.command()
@click.option(
    "--older-than",
    type=click.IntRange(1, MAX_DAYS),
    metavar="DAYS",
    help="By default GATEWAY_KEEP_PAYLOAD_DAYS.",
)
@click.option("--dry-run", is_flag=True, help="Only count.")
def prune(older_than: int | None, dry_run: bool) -> None:
    """Prune the payloads of old events; their rows stay, and failed events keep the payload."""

    async def command(connection: PocketBaseConnection) -> None:
        days = older_than or connection.settings.gateway_keep_payload_days
        pruned = await prune_payloads(connection.pocketbase, days, dry_run=dry_run)
        click.echo(f"{pruned} payloads {'would be pruned' if dry_run else 'pruned'}")

    run_without_stripe(command)


def _line(event: Json) -> str:
    line = (
        f"{event['created'][:19]}  {event['stripe_id']}  {event['outcome']:10}"
        f"  {event['type']}  {event['object_id']}"
    )
    if event["outcome"] == "failed":
        line += f"  attempts={event['attempts']}  {event['error']}"
    return line


async def _report(results: AsyncIterator[Replayed], as_json: bool) -> None:
    """Print each result, and the counts to stderr; exit with code 1 if any event failed."""
    outcomes: Counter[str] = Counter()
    async for each in results:
        outcomes[each.outcome] += 1
        click.echo(
            dump_text(
                {
                    "event": each.stripe_id,
                    "type": each.type,
                    "outcome": each.outcome,
                    "detail": each.detail,
                }
            )
            if as_json
            else f"{each.stripe_id}  {each.outcome:10}  {each.type}  {each.detail}".rstrip()
        )
    numbers = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    click.echo(numbers or "no such events", err=True)
    if any(outcomes[outcome] for outcome in _FAILURES):
        fail("Some events could not be handled.")
