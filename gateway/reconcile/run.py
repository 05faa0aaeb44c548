"""The runs of a reconciliation, one row each: options, cursors, report.

The cursors are saved every half second, so that a run that was killed continues there: it compares
the pages since the last save again.
"""

import asyncio
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.dates import column_to_unix, from_column, now_column, to_column
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.reconcile.lists import Cursor
from gateway.reconcile.process import describe_process, has_ended, name_process
from gateway.reconcile.rate_limit import with_retries
from gateway.reconcile.repair import Outcome
from gateway.rows import Json

_COLLECTION = "reconciliations"
#: Older places are left: Stripe's lists have moved on too far.
_CONTINUED_WITHIN = timedelta(days=7)
#: A run saves its row at least this often.
HEARTBEAT_SECONDS = 5.0
#: One that has not saved its row for this long is no longer running anywhere.
_ALIVE = timedelta(seconds=20)
_POLL_SECONDS = 0.5
#: Differences kept in the row; all are counted.
_MAX_DIFFERENCES = 100


class ReconciliationUnderWay(GatewayError):
    """A reconciliation is already running."""

    status = 409


class ReconciliationDeleted(GatewayError):
    """The row of this reconciliation was deleted."""

    status = 409


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run."""

    dry_run: bool = False
    #: Collections; all when empty.
    only: tuple[str, ...] = ()
    #: As it was written; "" reaches back as far as it must.
    since: str = ""
    events: bool = True
    objects: bool = True


@dataclass(slots=True)
class Report:
    """The results of a run so far."""

    #: By collection, and for events by outcome.
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    differences: list[dict[str, Any]] = field(default_factory=list)
    #: Collections that Stripe does not list for this key, and why.
    refused: dict[str, str] = field(default_factory=dict)
    #: Lists that this account or key lacks, and why; their rows are not checked.
    skipped: dict[str, str] = field(default_factory=dict)
    #: By Stripe id, why a row could not be made or written; the first ones.
    failed: dict[str, str] = field(default_factory=dict)

    def count(self, collection: str, **numbers: int) -> None:
        """Add to a collection's numbers."""
        counts = self.counts.setdefault(collection, {})
        for name, number in numbers.items():
            counts[name] = counts.get(name, 0) + number

    def add(self, collection: str, outcome: Outcome) -> None:
        """Add the result of a page."""
        kinds = Counter(difference.kind for difference in outcome.differences)
        others = {"overtaken": len(outcome.overtaken), "failed": len(outcome.failed)}
        self.count(collection, **kinds, **{name: n for name, n in others.items() if n})
        room = _MAX_DIFFERENCES - len(self.differences)
        self.differences += [each.describe() for each in outcome.differences[: max(room, 0)]]
        if len(self.failed) < _MAX_DIFFERENCES:
            self.failed |= outcome.failed

    @property
    def is_clean(self) -> bool:
        """Whether everything could be compared and written."""
        return not self.refused and not self.failed


@dataclass(slots=True)
class Run:
    """The state of one run."""

    id: str
    options: Options
    started: str
    #: By list (and for the events), the cursor of the next page; a list that is read has none.
    cursors: dict[str, Cursor] = field(default_factory=dict)
    #: Lists that were read to their ends.
    done: set[str] = field(default_factory=set)
    #: Lists that are being read.
    current: list[str] = field(default_factory=list)
    #: By collection, the number of rows before the run.
    known: dict[str, int] = field(default_factory=dict)
    #: Unix seconds; objects created before are left out.
    since: int | None = None
    #: The same for events, which reach back to the last completed run.
    events_since: int | None = None
    #: Stripe's time when the list of events was first read.
    events_until: int = 0
    report: Report = field(default_factory=Report)
    was_continued: bool = False
    #: The process that carries it out, "" while it is queued.
    process: str = ""

    @property
    def step(self) -> str:
        """The lists that are being read, as text."""
        return ", ".join(self.current)

    @property
    def position(self) -> Json:
        """The position of the run, as JSON."""
        return {
            "step": self.step,
            "process": self.process,
            "done": sorted(self.done),
            "cursors": {name: asdict(cursor) for name, cursor in self.cursors.items()},
            "known": self.known,
            "since": self.since,
            "events_since": self.events_since,
            "events_until": self.events_until,
        }


@dataclass(frozen=True, slots=True)
class Runs:
    """Keeps runs in PocketBase."""

    pocketbase: PocketBase

    async def find_unfinished(self, options: Options) -> Run | None:
        """Return the newest run with these options, if it has not come to its end."""
        oldest = to_column(datetime.now(UTC) - _CONTINUED_WITHIN)
        for row in await self.list_newest(20, f"started > '{oldest}'"):
            if row["options"] == _describe(options):
                # Without `cursors`, an earlier release began the run.
                is_readable = not row["finished"] and "cursors" in row["position"]
                return _read(row) if is_readable else None
        return None

    async def wait_for_others(self, patience: float = 0.0) -> None:
        """Return when no run is under way.

        Args:
            patience: seconds to wait for a run that may have been killed on another host.

        Raises:
            ReconciliationUnderWay: a run is, in this process or another.
        """
        first: dict[str, str] = {}
        deadline = time.monotonic() + patience
        while others := [row for row in await self.list_newest(20) if is_under_way(row)]:
            seen = {row["id"]: row["updated"] for row in others}
            is_alive = bool(first) and first.items() != seen.items()
            if is_alive or time.monotonic() > deadline:
                raise ReconciliationUnderWay(_describe_run(others[0]))
            first = first or seen
            await asyncio.sleep(_POLL_SECONDS)

    async def require_claim(self, run: Run) -> None:
        """Give way to a run that began at the same time.

        Raises:
            ReconciliationUnderWay: it began earlier, or has taken this run.
        """
        for row in await self.list_newest(20):
            is_mine = row["id"] == run.id
            if is_mine and row["position"]["process"] != name_process():
                raise ReconciliationUnderWay(_describe_run(row))
            is_earlier = (row["started"], row["id"]) < (run.started, run.id)
            if not is_mine and is_under_way(row) and is_earlier:
                raise ReconciliationUnderWay(_describe_run(row))

    async def begin(self, run: Run) -> Run:
        """Keep a new run; it gets its id."""
        row = await self._send("POST", "", {"options": _describe(run.options), **_state(run)})
        run.id = row["id"]
        return run

    async def save(self, run: Run, **more: str) -> None:
        """Keep where the run is, and further columns.

        Raises:
            ReconciliationDeleted: its row is gone.
        """
        try:
            await self._send("PATCH", f"/{run.id}", {**_state(run), **more})
        except PocketBaseRefused as refused:
            if refused.status != 404:
                raise
            raise ReconciliationDeleted("Its row was deleted, so the run has stopped.") from None

    async def finish(self, run: Run) -> None:
        """Say that the run has come to its end."""
        await self.save(run, finished=now_column(), error="")

    async def find(self, id: str) -> Json | None:
        """Return the row of a run, None if it was deleted."""
        rows = await self.list_newest(1, f"id = '{id}'")
        return rows[0] if rows else None

    async def find_caught_up(self) -> int | None:
        """Return the time until which all events are stored, in unix seconds, if it is known."""
        rows = await self.list_newest(1, "caught_up != ''")
        return column_to_unix(rows[0]["caught_up"]) if rows else None

    async def list_newest(self, limit: int, wanted: str = "") -> list[Json]:
        """Return rows of runs, newest first."""
        query: dict[str, str | int] = {"perPage": limit, "skipTotal": 1, "sort": "-started"}
        if wanted:
            query["filter"] = wanted
        path = self.pocketbase.records_path(_COLLECTION)
        answer = await with_retries(lambda: self.pocketbase.call("GET", path, query=query))
        rows: list[Json] = answer["items"]
        return rows

    async def _send(self, method: str, path: str, body: Json) -> Json:
        path = self.pocketbase.records_path(_COLLECTION) + path
        return await with_retries(lambda: self.pocketbase.call(method, path, body))


def is_under_way(row: Json) -> bool:
    """Whether a run, as its row shows it, is going on in some process."""
    process = row["position"].get("process", "")
    if row["finished"] or row["error"] or not process or has_ended(process):
        return False
    return datetime.now(UTC) - from_column(row["updated"]) < _ALIVE


def _describe_run(row: Json) -> str:
    process = describe_process(row["position"].get("process", ""))
    return (
        f"A reconciliation is already running, since {row['started']} in {process}: wait until it "
        "has ended, or stop it; the same command then continues it."
    )


def _describe(options: Options) -> Json:
    return {**asdict(options), "only": list(options.only)}


def _state(run: Run) -> Json:
    return {"started": run.started, "position": run.position, "report": asdict(run.report)}


def _read(row: Json) -> Run:
    options, position, report = row["options"], row["position"], row["report"]
    return Run(
        id=row["id"],
        options=Options(**{**options, "only": tuple(options["only"])}),
        started=row["started"],
        cursors={
            name: Cursor(cursor["after"], cursor["created"], tuple(cursor["edge"]))
            for name, cursor in position["cursors"].items()
        },
        done=set(position["done"]),
        known=position["known"],
        since=position["since"],
        events_since=position["events_since"],
        events_until=position["events_until"],
        report=Report(**report),
        was_continued=True,
    )
