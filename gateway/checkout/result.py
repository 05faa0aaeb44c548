"""Reads a Checkout Session and its result from Stripe, and writes the rows at once.

The page after a payment does not wait for webhooks.
"""

import asyncio
from typing import Any
from urllib.parse import quote

import stripe

from gateway.stripe_api import Missing, Snapshot, SyncSnapshot, read_object

#: Members of a session that are objects with rows.
_MEMBERS = ("customer", "subscription", "setup_intent", "payment_intent", "invoice")


async def read_session(client: stripe.StripeClient, session_id: str) -> Snapshot:
    """Read a session with its customer, subscription, payment and invoice, in one request.

    Raises:
        Missing: Stripe has no such session.
        StripeUnavailable, StripeRefused
    """
    expand = "&".join(
        f"expand[]={member}" for member in (*_MEMBERS, "payment_intent.latest_charge")
    )
    path = f"/v1/checkout/sessions/{quote(session_id, safe='')}?{expand}"
    return await read_object(client, path)


async def sync_session_snapshot(sync: SyncSnapshot, snapshot: Snapshot) -> dict[str, Any]:
    """Write the rows of a session and its members; return the session as it was last read.

    Args:
        sync: writes one row.
        snapshot: see `read_session`.

    Raises:
        StripeUnavailable, StripeRefused, PocketBaseUnavailable: some rows may not be written.
    """
    members = [snapshot.body.get(member) for member in _MEMBERS]
    members += [member.get("latest_charge") for member in members if isinstance(member, dict)]
    found = [member for member in members if isinstance(member, dict) and not member.get("deleted")]
    snapshots = (Snapshot(member, snapshot.as_of, snapshot.until) for member in found)
    # The session is last: a client that sees it complete finds the other rows.
    await asyncio.gather(*(_sync_unless_missing(sync, each) for each in snapshots))
    return await sync(snapshot)


async def sync_session(client: stripe.StripeClient, sync: SyncSnapshot, session_id: str) -> None:
    """Read a session from Stripe, and write its rows and its members'.

    Raises:
        StripeUnavailable, StripeRefused, PocketBaseUnavailable
    """
    await sync_session_snapshot(sync, await read_session(client, session_id))


async def _sync_unless_missing(sync: SyncSnapshot, snapshot: Snapshot) -> None:
    try:
        await sync(snapshot)
    except Missing:
        return  # Deleted since; the deletion's event updates the row.
