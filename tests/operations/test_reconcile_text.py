"""The lines of `gateway reconcile`: progress, the time that is left, and totals."""

import pytest

from gateway.cli.reconcile_progress import Progress
from gateway.cli.reconcile_text import describe_end, describe_progress
from gateway.reconcile.lists import Cursor
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.run import Options, Run


def _build_run(**counts: int) -> Run:
    """Return a run that reads two lists, one of them of a collection with rows."""
    run = Run("1", Options(), "2026-01-01 00:00:00.000Z")
    run.current = ["customers", "invoices"]
    run.known = {"customers": 0, "invoices": 33_336, "products": 5000}
    run.done = {"products"}
    run.cursors = {"invoices": Cursor("in_1", 1_767_398_400)}
    for name, listed in counts.items():
        run.report.count(name, listed=listed)
    return run


def test_progress_is_one_line() -> None:
    """All lists that have shown objects, the rates, and the time for the rows that are left."""
    run = _build_run(customers=200, invoices=14_000)
    assert describe_progress(run, 14_200, 400, 100) == (
        "customers 200, invoices 14000 of 33336 back to 2026-01-03;"
        " 142 objects and 4.0 requests per second; about 2 min left"
    )


def test_the_time_left_is_unknown() -> None:
    """For an import, for a run since a time, and before the rate is known."""
    run = _build_run(invoices=14_000)
    assert "left" not in describe_progress(run, 14_000, 400, 1)
    run.since = 1
    assert describe_progress(run, 14_000, 400, 100).startswith("invoices 14000 back to")
    assert "left" not in describe_progress(run, 14_000, 400, 100)
    assert "left" not in describe_progress(_build_run(invoices=40_000), 40_000, 400, 100)


def test_the_totals_name_empty_collections_by_number() -> None:
    """Collections without objects have no lines of their own."""
    run = _build_run(events=7, customers=200, invoices=0)
    assert describe_end(run, 42) == (
        "compared 200 objects of 2 collections, 1 of them empty in 42 s"
    )


@pytest.mark.parametrize(("listed", "lines"), [(0, ""), (3, "products: 3 listed\n")])
def test_a_list_that_was_read(listed: int, lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with its numbers, and none for an empty list."""
    run = Run("1", Options(only=("products",)), "", done={"products"})
    run.report.count("products", listed=listed)
    Progress(RateLimit(80), as_json=False).print_page(run, "products")
    assert capsys.readouterr().err == lines
