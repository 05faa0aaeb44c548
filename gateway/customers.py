"""Customers that Stripe has deleted, before its webhook says so."""

from gateway.ids import record_id
from gateway.pocketbase import Group, PocketBase, StampedRow, commit
from gateway.writes import Row, Stamp


class CustomerGone(Exception):
    """Stripe does not have the customer."""


async def mark_deleted(pocketbase: PocketBase, customer: str) -> None:
    """Note that Stripe does not have a customer any more, so that the user gets another.

    Raises:
        PocketBaseUnavailable
    """
    row = Row("customers", customer, {"deleted": True}, final=True)
    # Nothing can come after it, whatever the time.
    stamp = Stamp(1, 0, 0, row.rank, f"gone_{record_id(customer)}")
    await commit(pocketbase, Group(rows=[StampedRow(row, stamp)]))
