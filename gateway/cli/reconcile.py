"""``gateway reconcile``: bring the mirror in line with Stripe."""

import time
from dataclasses import asdict

import click

from gateway.cli.connection import Connection, fail, run
from gateway.errors import GatewayError
from gateway.json_codec import dump_text
from gateway.reconcile.comparison import Difference
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.reconciliation import Reconciliation, Watcher
from gateway.reconcile.run import Options, Report, Run

_LINE_SECONDS = 1.0


@click.command()
@click.option("--dry-run", is_flag=True, help="Only report what differs.")
@click.option("--only", default="", metavar="NAMES", help="Collections, such as products,prices.")
@click.option("--since", default="", metavar="TIME", help="Only what was created then or later.")
@click.option("--events-only", is_flag=True, help="Only handle the events that were missed.")
@click.option("--objects-only", is_flag=True, help="Only compare the objects.")
@click.option(
    "--rate",
    default=20.0,
    show_default=True,
    type=click.FloatRange(min=0.1, max=1000),
    help="Requests to Stripe a second.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, the report last.")
def reconcile(
    dry_run: bool,
    only: str,
    since: str,
    events_only: bool,
    objects_only: bool,
    rate: float,
    as_json: bool,
) -> None:
    """Bring the mirror in line with Stripe; on an empty PocketBase, the first import.

    Handles the events that were missed, then compares every mirrored object with its row. What
    differs is printed, and repaired unless it is a dry run. A run that was broken off is continued
    by the same command. TIME is as for `gateway events`.
    """
    if events_only and (objects_only or only):
        fail("--events-only leaves nothing to compare: give it alone.")
    options = Options(
        dry_run=dry_run,
        only=tuple(name.strip() for name in only.split(",") if name.strip()),
        since=since,
        # A few collections are compared; events are of all of them.
        events=not objects_only and not only,
        objects=not events_only,
    )

    async def command(connection: Connection) -> None:
        pace = RateLimit(rate)
        show = _Progress(pace, as_json)
        reconciliation = Reconciliation(
            connection.pocketbase,
            connection.client,
            connection.inbox,
            options=options,
            pace=pace,
            watcher=Watcher(show.begin, show.print_difference, show.print_page),
        )
        try:
            done = await reconciliation.run()
        except GatewayError:
            show.print_broken_off()
            raise
        show.print_end(done)
        if not done.report.is_clean:
            fail("Some could not be compared or written.")

    run(command)


class _Progress:
    """Differences go to stdout, how far it is to stderr."""

    def __init__(self, pace: RateLimit, as_json: bool) -> None:
        self._pace = pace
        self._as_json = as_json
        self._started = time.monotonic()
        self._printed = 0.0
        self._step = ""
        self._has_begun = False

    def begin(self, run: Run) -> None:
        """Say whether the run is a new one."""
        self._has_begun = True
        verb = "continued at" if run.was_continued else "begun"
        click.echo(f"{verb} {run.step}".strip(), err=True)

    def print_difference(self, difference: Difference) -> None:
        """One line each."""
        click.echo(
            dump_text(difference.describe())
            if self._as_json
            else f"{difference.kind:8}  {difference.collection}  {difference.stripe_id}"
            f"  {' '.join(difference.columns)}".rstrip()
        )

    def print_page(self, run: Run) -> None:
        """At most once a second, and at the end of each list."""
        has_ended = self._step not in ("", run.step)
        shown, self._step = self._step if has_ended else run.step, run.step
        now = time.monotonic()
        if now - self._printed < _LINE_SECONDS and not has_ended:
            return
        self._printed = now
        self._print_numbers(run, shown)

    def _print_numbers(self, run: Run, step: str) -> None:
        now = time.monotonic()
        rate = self._pace.requests / max(now - self._started, 0.001)
        name = step.split(" ")[0]
        click.echo(f"{_describe(run.report, name)}; {rate:.1f} requests a second", err=True)

    def print_end(self, run: Run) -> None:
        """What differs in all, and what could not be done."""
        self._print_numbers(run, run.step)
        if self._as_json:
            click.echo(dump_text({"run": run.id, **asdict(run.report)}))
        for name, reason in {**run.report.refused, **run.report.failed}.items():
            click.echo(f"{name}: {reason}", err=True)
        if run.report.skipped:
            click.echo(f"not available: {', '.join(run.report.skipped)}", err=True)
        counts = run.report.counts
        differing = [name for name, numbers in counts.items() if numbers.keys() - {"listed"}]
        told = "; ".join(_describe(run.report, name) for name in differing)
        click.echo(told or "no difference", err=True)

    def print_broken_off(self) -> None:
        """How to go on, if there is something to go on with."""
        if self._has_begun:
            click.echo("Broken off; the same command continues.", err=True)


def _describe(report: Report, name: str) -> str:
    counts = report.counts.get(name, {})
    return f"{name}: " + (", ".join(f"{number} {what}" for what, number in counts.items()) or "0")
