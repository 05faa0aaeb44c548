"""Marks mirrored customers that Stripe does not have any more, before the webhook arrives."""

from gateway.ids import record_id
from gateway.pocketbase import CommitBatch, PocketBase, VersionedRow, commit
from gateway.rows import Row, Version


class CustomerGone(Exception):
    """Stripe does not have the customer any more."""


async def mark_deleted(pocketbase: PocketBase, customer: str) -> None:
    """Mark the row of a customer as deleted, so that the payer gets a new customer.

    Args:
        customer: its Stripe id.

    Raises:
        PocketBaseUnavailable
    """
    row = Row("customers", customer, {"deleted": True}, final=True)
    # A deletion is final, so its time does not matter.
    version = Version(1, 0, 0, row.rank, f"gone_{record_id(customer)}")
    await commit(pocketbase, CommitBatch(rows=[VersionedRow(row, version)]))
