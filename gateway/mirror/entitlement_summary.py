"""Reads a customer's active entitlements from Stripe as one object."""

from dataclasses import replace

from gateway.mirror.nested_lists import Read, read_rest
from gateway.mirror.registry import SUMMARY, path_of
from gateway.stripe_api import Snapshot


async def read_summary(read: Read, customer: str) -> Snapshot:
    """Return a customer's summary as an event would show it, with all features.

    Raises:
        Any exception of ``read``.
    """
    path = path_of(SUMMARY, customer)
    found = await read_rest(read, path, await read(f"{path}&limit=100"))
    return replace(
        found, body={"object": SUMMARY, "customer": customer, "entitlements": found.body}
    )
