"""The results as a table and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence

from gateway.doctor.check import CheckStatus
from gateway.doctor.run import CheckedRow
from gateway.rows import Json

_MARKS = {
    CheckStatus.OK: "ok",
    CheckStatus.WARNING: "warning",
    CheckStatus.FAILED: "FAILED",
    CheckStatus.SKIPPED: "skipped",
}


def format_table(rows: Sequence[CheckedRow], *, is_brief: bool = False) -> Iterator[str]:
    """Yield the lines of a table, one block per check.

    Args:
        is_brief: leave out checks that are ok.
    """
    width = max((len(row.check.id) for row in rows), default=0)
    for row in rows:
        if is_brief and row.result.status is CheckStatus.OK:
            continue
        yield f"{_MARKS[row.result.status]:8} {row.check.id:{width}}  {row.result.found}"
        indent = " " * (width + 11)
        yield from (f"{indent}- {text}" for text in row.result.details)
        if row.result.fix:
            yield f"{indent}→ {row.result.fix}"


def summarize(rows: Sequence[CheckedRow]) -> str:
    """Return the number of results by status."""
    counts = Counter(row.result.status for row in rows)
    return ", ".join(f"{counts[status]} {status}" for status in CheckStatus)


def build_document(rows: Sequence[CheckedRow]) -> Json:
    """Return the document of `--json` (docs/doctor.md)."""
    counts = Counter(row.result.status for row in rows)
    return {
        "ok": not counts[CheckStatus.FAILED],
        "counts": {status: counts[status] for status in CheckStatus},
        "checks": [
            {
                "id": row.check.id,
                "group": row.check.group,
                "title": row.check.title,
                "status": row.result.status,
                "found": row.result.found,
                "fix": row.result.fix,
                "details": list(row.result.details),
            }
            for row in rows
        ],
    }
