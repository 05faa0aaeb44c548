"""``gateway reconcile``: compare the mirror with Stripe and repair differences."""

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

#: Minimum time between two progress lines.
_PROGRESS_SECONDS = 1.0


@click.command()
@click.option("--dry-run", is_flag=True, help="Only report differences.")
@click.option("--only", default="", metavar="NAMES", help="Collections, such as products,prices.")
@click.option("--since", default="", metavar="TIME", help="Only objects created at TIME or later.")
@click.option("--events-only", is_flag=True, help="Only handle missed events.")
@click.option("--objects-only", is_flag=True, help="Only compare the objects.")
@click.option(
    "--rate",
    default=20.0,
    show_default=True,
    type=click.FloatRange(min=0.1, max=1000),
    help="Requests to Stripe per second.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, the report last.")
def reconcile(
    dry_run: bool,
    only: str,
    since: str,
    events_only: bool,
    objects_only: bool,
    rate: float,
    as_json: bool,
) -> None:
    """Compare the mirror with Stripe and repair differences; the first import of an account.

    Handles missed events, then compares every mirrored object with its row. Prints differences and,
    except in a dry run, repairs them. The same command continues an interrupted run. TIME is as for
    `gateway events`.
    """
    if events_only and (objects_only or only):
        fail("--events-only can't be combined with --objects-only or --only.")
    options = Options(
        dry_run=dry_run,
        only=tuple(name.strip() for name in only.split(",") if name.strip()),
        since=since,
        # Events can't be limited to some collections.
        events=not objects_only and not only,
        objects=not events_only,
    )

    async def command(connection: Connection) -> None:
        pace = RateLimit(rate)
        progress = _Progress(pace, as_json)
        reconciliation = Reconciliation(
            connection.pocketbase,
            connection.client,
            connection.own_account,
            connection.event_writer,
            options=options,
            pace=pace,
            watcher=Watcher(progress.begin, progress.print_difference, progress.print_page),
        )
        try:
            done = await reconciliation.run()
        except GatewayError:
            progress.print_interrupted()
            raise
        progress.print_end(done)
        if not done.report.is_clean:
            fail("Some objects could not be compared or written.")

    run(command)


class _Progress:
    """Prints differences to stdout and progress to stderr."""

    def __init__(self, pace: RateLimit, as_json: bool) -> None:
        self._pace = pace
        self._as_json = as_json
        self._started = time.monotonic()
        self._printed = 0.0
        self._step = ""
        self._has_begun = False

    def begin(self, run: Run) -> None:
        """Print whether the run is new or continued."""
        self._has_begun = True
        verb = "continued at" if run.was_continued else "begun"
        click.echo(f"{verb} {run.step}".strip(), err=True)

    def print_difference(self, difference: Difference) -> None:
        """Print one line per difference."""
        click.echo(
            dump_text(difference.describe())
            if self._as_json
            else f"{difference.kind:8}  {difference.collection}  {difference.stripe_id}"
            f"  {' '.join(difference.columns)}".rstrip()
        )

    def print_page(self, run: Run) -> None:
        """Print progress at most once per second, and at the end of each list."""
        has_ended = self._step not in ("", run.step)
        shown, self._step = self._step if has_ended else run.step, run.step
        now = time.monotonic()
        if now - self._printed < _PROGRESS_SECONDS and not has_ended:
            return
        self._printed = now
        self._print_numbers(run, shown)

    def _print_numbers(self, run: Run, step: str) -> None:
        now = time.monotonic()
        rate = self._pace.requests / max(now - self._started, 0.001)
        name = step.split(" ")[0]
        click.echo(f"{_describe(run.report, name)}; {rate:.1f} requests per second", err=True)

    def print_end(self, run: Run) -> None:
        """Print the totals and the failures."""
        self._print_numbers(run, run.step)
        if self._as_json:
            click.echo(dump_text({"run": run.id, **asdict(run.report)}))
        for name, reason in {**run.report.refused, **run.report.failed}.items():
            click.echo(f"{name}: {reason}", err=True)
        if run.report.skipped:
            click.echo(f"not available: {', '.join(run.report.skipped)}", err=True)
        counts = run.report.counts
        differing = [name for name, numbers in counts.items() if numbers.keys() - {"listed"}]
        totals = "; ".join(_describe(run.report, name) for name in differing)
        click.echo(totals or "no difference", err=True)

    def print_interrupted(self) -> None:
        """Print how to continue, if the run has begun."""
        if self._has_begun:
            click.echo("Interrupted; the same command continues the run.", err=True)


def _describe(report: Report, name: str) -> str:
    counts = report.counts.get(name, {})
    return f"{name}: " + (", ".join(f"{number} {what}" for what, number in counts.items()) or "0")
