"""``gateway reconcile``: compare the mirror with Stripe and repair differences."""

import os

import click

from gateway.cli.connection import Connection, fail, run
from gateway.cli.reconcile_progress import Progress
from gateway.errors import GatewayError
from gateway.reconcile.rate_limit import RateLimit, choose_rate
from gateway.reconcile.reconciliation import Reconciliation, Watcher
from gateway.reconcile.run import Options

#: How long to wait for a run that may have been killed on another host.
_PATIENCE_SECONDS = 25.0
_NICENESS = 10


@click.command()
@click.option("--dry-run", is_flag=True, help="Only report differences.")
@click.option("--only", default="", metavar="NAMES", help="Collections, such as products,prices.")
@click.option("--since", default="", metavar="TIME", help="Only objects created at TIME or later.")
@click.option("--events-only", is_flag=True, help="Only handle missed events.")
@click.option("--objects-only", is_flag=True, help="Only compare the objects.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1, max=1000),
    help="Requests to Stripe per second.  [default: 80 in live mode, 20 in test mode]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, the report last.")
def reconcile(
    dry_run: bool,
    only: str,
    since: str,
    events_only: bool,
    objects_only: bool,
    rate: float | None,
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

    # Deliveries on the same machine come first.
    os.nice(_NICENESS)

    async def command(connection: Connection) -> None:
        key = connection.settings.stripe_secret_key.get_secret_value()
        pace = RateLimit(rate or choose_rate(key))
        progress = Progress(pace, as_json)
        reconciliation = Reconciliation(
            connection.pocketbase,
            connection.client,
            connection.own_account,
            connection.event_writer,
            options=options,
            pace=pace,
            watcher=Watcher(progress.begin, progress.print_difference, progress.print_page),
            patience=_PATIENCE_SECONDS,
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
