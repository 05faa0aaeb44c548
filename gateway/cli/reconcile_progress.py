"""The output of ``gateway reconcile``: differences to stdout, progress to stderr."""

import time
from collections import Counter
from dataclasses import asdict
from typing import Any

import click

from gateway.dates import unix_to_column
from gateway.json_codec import dump_text
from gateway.reconcile.comparison import Difference
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.run import Report, Run

#: Seconds between two progress lines of one collection.
_SECONDS = 2.0


class Progress:
    """Prints a run; with ``as_json``, each line of either stream that is not a message is JSON."""

    def __init__(self, pace: RateLimit, as_json: bool) -> None:
        self._pace = pace
        self._as_json = as_json
        self._started = time.monotonic()
        #: By collection, when it was last printed.
        self._printed: dict[str, float] = {}
        #: By collection, the number of objects before this process.
        self._before: Counter[str] = Counter()
        self._has_begun = False

    def begin(self, run: Run) -> None:
        """Print whether the run is new or continued."""
        self._has_begun = True
        self._started = time.monotonic()
        self._before.update({name: _listed(run, name) for name in run.report.counts})
        where = f" at {', '.join(run.cursors)}" if run.cursors else ""
        click.echo(f"continued{where}" if run.was_continued else "begun", err=True)

    def print_difference(self, difference: Difference) -> None:
        """Print one line per difference."""
        click.echo(
            dump_text(difference.describe())
            if self._as_json
            else f"{difference.kind:8}  {difference.collection}  {difference.stripe_id}"
            f"  {' '.join(difference.columns)}".rstrip()
        )

    def print_page(self, run: Run, collection: str) -> None:
        """Print the progress of a collection every few seconds, and at the end of its lists."""
        now = time.monotonic()
        is_due = now - self._printed.get(collection, 0.0) >= _SECONDS
        is_last = not any(name.split(" ")[0] == collection for name in run.current)
        if is_due or is_last:
            self._printed[collection] = now
            self._print_numbers(run, collection)

    def _print_numbers(self, run: Run, collection: str) -> None:
        numbers = self._measure(run, collection)
        if self._as_json:
            click.echo(dump_text({"progress": collection, **numbers}), err=True)
            return
        parts = [_describe(run.report, collection)]
        if numbers["known"]:
            parts.append(f"of {numbers['known']} known")
        parts.append(f"{numbers['objects_per_second']:.0f} per second")
        if numbers["back_to"]:
            parts.append(f"back to {numbers['back_to'][:10]}")
        rate = numbers["requests_per_second"]
        click.echo(f"{', '.join(parts)}; {rate:.1f} requests per second", err=True)

    def _measure(self, run: Run, collection: str) -> dict[str, Any]:
        seconds = max(time.monotonic() - self._started, 0.001)
        cursors = [c for name, c in run.cursors.items() if name.split(" ")[0] == collection]
        reached = min((cursor.created for cursor in cursors), default=0)
        done = _listed(run, collection)
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
        counts = run.report.counts
        differing = [name for name, numbers in counts.items() if numbers.keys() - {"listed"}]
        totals = "; ".join(_describe(run.report, name) for name in differing)
        click.echo(totals or "no difference", err=True)

    def print_interrupted(self) -> None:
        """Print how to continue, if the run has begun."""
        if self._has_begun:
            click.echo("Interrupted; the same command continues the run.", err=True)


def _listed(run: Run, collection: str) -> int:
    return run.report.counts.get(collection, {}).get("listed", 0)


def _describe(report: Report, name: str) -> str:
    counts = report.counts.get(name, {})
    return f"{name}: " + (", ".join(f"{number} {what}" for what, number in counts.items()) or "0")
