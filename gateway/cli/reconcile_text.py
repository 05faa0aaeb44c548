"""The lines of ``gateway reconcile`` for people. Pure."""

from collections import Counter

from gateway.dates import unix_to_column
from gateway.reconcile.reconciliation import EVENTS, name_lists
from gateway.reconcile.run import Report, Run

#: Below it, an estimate of the rest is a guess.
_MIN_SECONDS = 2.0


def describe_begin(run: Run) -> str:
    """Return the first line of a run."""
    lists = name_lists(run.options)
    if not run.was_continued:
        return f"new run: {len(lists)} lists"
    where = f" at {', '.join(run.cursors)}" if run.cursors else ""
    done = len(run.done.intersection(lists))
    return f"continued{where}: {done} of {len(lists)} lists are done"


def describe_progress(run: Run, objects: int, requests: int, seconds: float) -> str:
    """Return one line about all lists that are being read.

    Args:
        run: its state.
        objects: those that this process has listed.
        requests: those that it has sent to Stripe.
        seconds: the time since it began.
    """
    names = dict.fromkeys(name.split(" ")[0] for name in run.current)
    parts = [_describe_collection(run, name) for name in names if count_listed(run, name)]
    seconds = max(seconds, 0.001)
    rates = f"{objects / seconds:.0f} objects and {requests / seconds:.1f} requests per second"
    left = _estimate_left(run, objects / seconds) if seconds >= _MIN_SECONDS else ""
    return "; ".join(filter(None, [", ".join(parts), rates, left]))


def _describe_collection(run: Run, name: str) -> str:
    listed, known = count_listed(run, name), run.known.get(name)
    of = f" of {known}" if known and known >= listed and run.since is None else ""
    cursors = [cursor for key, cursor in run.cursors.items() if key.split(" ")[0] == name]
    reached = min((cursor.created for cursor in cursors), default=0)
    back = f" back to {unix_to_column(reached)[:10]}" if reached else ""
    return f"{name} {listed}{of}{back}"


def _estimate_left(run: Run, per_second: float) -> str:
    """Return the time for the known rows that no list has shown yet; "" if it is unknown."""
    open_ones = [name for name in run.known if not is_done(run, name)]
    left = sum(max(run.known[name] - count_listed(run, name), 0) for name in open_ones)
    # A run since a time lists a part of the rows; an import lists more objects than there are rows.
    if run.since is not None or not left or not per_second:
        return ""
    minutes = left / per_second / 60
    return f"about {minutes:.0f} min left" if minutes >= 1 else "less than a minute left"


def is_done(run: Run, collection: str) -> bool:
    """Return whether all lists of a collection were read to their ends."""
    if collection == EVENTS:
        return EVENTS in run.done
    left = name_lists(run.options) - run.done
    return not any(name.split(" ")[0] == collection for name in left)


def describe_end(run: Run, seconds: float) -> str:
    """Return the totals of a run."""
    counts = run.report.counts
    listed = {name: count_listed(run, name) for name in counts if name != EVENTS}
    empty = sum(1 for number in listed.values() if not number)
    rest = f", {empty} of them empty" if empty else ""
    return (
        f"compared {sum(listed.values())} objects of {len(listed)} collections{rest}"
        f" in {seconds:.0f} s"
    )


def describe_differences(report: Report) -> str:
    """Return the numbers of differences of all collections together."""
    totals: Counter[str] = Counter()
    for name, counts in report.counts.items():
        if name != EVENTS:
            totals.update({what: number for what, number in counts.items() if what != "listed"})
    return ", ".join(f"{number} {what}" for what, number in totals.items()) or "no difference"


def describe_counts(report: Report, name: str) -> str:
    """Return the numbers of a collection."""
    counts = {"listed": 0, **report.counts.get(name, {})}
    return f"{name}: " + ", ".join(f"{number} {what}" for what, number in counts.items() if number)


def count_listed(run: Run, collection: str) -> int:
    """Return the number of a collection's objects that the run has listed."""
    return run.report.counts.get(collection, {}).get("listed", 0)
