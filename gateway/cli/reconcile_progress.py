"""The output of ``gateway reconcile``: differences to stdout, progress to stderr."""

import time
from collections import Counter
from dataclasses import asdict
from typing import Any

import click

from gateway.cli.reconcile_text import (
    count_listed,
    describe_begin,
    describe_counts,
    describe_differences,
    describe_end,
    describe_progress,
    is_done,
)
from gateway.dates import unix_to_column
from gateway.json_codec import dump_text
from gateway.reconcile.comparison import Difference
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.run import Run

#: Seconds between two progress lines; with JSON, of one collection.
_SECONDS = 2.0


class Progress:
    """Prints a run; with ``as_json``, each line of either stream that is not a message is JSON."""

    def __init__(self, pace: RateLimit, as_json: bool) -> None:
        self._pace = pace
        self._as_json = as_json
        self._started = time.monotonic()
        #: By collection, when it was last printed; "" for a line about all.
        self._printed: dict[str, float] = {}
        #: By collection, the number of objects before this process.
        self._before: Counter[str] = Counter()
        self._has_begun = False

    def begin(self, run: Run) -> None:
        """Print whether the run is new or continued, and its size."""
        self._has_begun = True
        self._started = time.monotonic()
        self._before.update({name: count_listed(run, name) for name in run.report.counts})
        click.echo(describe_begin(run), err=True)

    def print_difference(self, difference: Difference) -> None:
        """Print one line per difference."""
        click.echo(
            dump_text(difference.describe())
            if self._as_json
            else f"{difference.kind:8}  {difference.collection}  {difference.stripe_id}"
            f"  {' '.join(difference.columns)}".rstrip()
        )

    def print_page(self, run: Run, collection: str) -> None:
        """Print the progress every few seconds, and a collection's numbers when it is read.

        A collection without objects and differences has no line.
        """
        is_last = is_done(run, collection)
        if is_last and any(run.report.counts.get(collection, {}).values()):
            self._print_last(run, collection)
        elif not is_last and self._is_due(collection if self._as_json else ""):
            self._print_progress(run, collection)

    def _is_due(self, name: str) -> bool:
        now = time.monotonic()
        if now - self._printed.get(name, 0.0) < _SECONDS:
            return False
        self._printed[name] = now
        return True

    def _print_last(self, run: Run, collection: str) -> None:
        if self._as_json:
            self._print_progress(run, collection)
        else:
            click.echo(describe_counts(run.report, collection), err=True)

    def _print_progress(self, run: Run, collection: str) -> None:
        if self._as_json:
            numbers = self._measure(run, collection)
            click.echo(dump_text({"progress": collection, **numbers}), err=True)
            return
        objects = sum(count_listed(run, name) - self._before[name] for name in run.report.counts)
        click.echo(describe_progress(run, objects, self._pace.requests, self._seconds), err=True)

    @property
    def _seconds(self) -> float:
        return max(time.monotonic() - self._started, 0.001)

    def _measure(self, run: Run, collection: str) -> dict[str, Any]:
        seconds = self._seconds
        cursors = [c for name, c in run.cursors.items() if name.split(" ")[0] == collection]
        reached = min((cursor.created for cursor in cursors), default=0)
        done = count_listed(run, collection)
        return {
            "counts": run.report.counts.get(collection, {}),
            "done": done,
            #: Rows before the run; Stripe does not count objects.
            "known": run.known.get(collection) or None,
            "back_to": unix_to_column(reached) if reached else "",
            "objects_per_second": round((done - self._before[collection]) / seconds, 1),
            "requests_per_second": round(self._pace.requests / seconds, 1),
        }

    def print_end(self, run: Run) -> None:
        """Print the totals and the failures."""
        if self._as_json:
            click.echo(dump_text({"run": run.id, **asdict(run.report)}))
        for name, reason in {**run.report.refused, **run.report.failed}.items():
            click.echo(f"{name}: {reason}", err=True)
        if run.report.skipped:
            click.echo(f"not available: {', '.join(run.report.skipped)}", err=True)
        click.echo(describe_end(run, self._seconds), err=True)
        click.echo(describe_differences(run.report), err=True)

    def print_interrupted(self) -> None:
        """Print how to continue, if the run has begun."""
        if self._has_begun:
            click.echo("Interrupted; the same command continues the run.", err=True)
