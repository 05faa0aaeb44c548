"""Marks customers that were deleted at Stripe, before the webhook arrives."""

from gateway.ids import record_id
from gateway.pocketbase import CommitBatch, PocketBase, VersionedRow, commit
from gateway.rows import Row, Version


class CustomerGone(Exception):
    """Stripe does not have the customer."""


async def mark_deleted(pocketbase: PocketBase, customer: str) -> None:
    """Mark a customer as deleted at Stripe, so that the user gets a new one.

    Raises:
        PocketBaseUnavailable
    """
    row = Row("customers", customer, {"deleted": True}, final=True)
    # A deletion is final, whatever its time.
    version = Version(1, 0, 0, row.rank, f"gone_{record_id(customer)}")
    await commit(pocketbase, CommitBatch(rows=[VersionedRow(row, version)]))
