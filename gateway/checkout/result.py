"""The way back from Stripe's page: what came of a session is written, webhooks or not."""

import asyncio
from typing import Any
from urllib.parse import quote

import stripe

from gateway.stripe_api import Missing, Snapshot, SyncSnapshot, read_object

#: What a session leads to, and what stands in that, in the order in which rows name each other.
_PARTS = ("customer", "subscription", "setup_intent", "payment_intent", "invoice")


async def read_session(client: stripe.StripeClient, session_id: str) -> Snapshot:
    """Read a session with everything that it has led to, in one answer.

    Raises:
        Missing: there is no such session.
        StripeUnavailable, StripeRefused
    """
    wanted = "&".join(f"expand[]={part}" for part in (*_PARTS, "payment_intent.latest_charge"))
    path = f"/v1/checkout/sessions/{quote(session_id, safe='')}?{wanted}"
    return await read_object(client, path)


async def sync_snapshot(apply: SyncSnapshot, reading: Snapshot) -> dict[str, Any]:
    """Write a session that was read, and what it has led to; return it as it was last read.

    Raises:
        StripeUnavailable, StripeRefused, PocketBaseUnavailable: not all of it may be written.
    """
    parts = [reading.body.get(part) for part in _PARTS]
    parts += [part.get("latest_charge") for part in parts if isinstance(part, dict)]
    found = [part for part in parts if isinstance(part, dict) and not part.get("deleted")]
    readings = (Snapshot(part, reading.as_of, reading.until) for part in found)
    # The session comes last: once its row says complete, the rest is there.
    await asyncio.gather(*(_apply(apply, each) for each in readings))
    return await apply(reading)


async def sync_session(client: stripe.StripeClient, apply: SyncSnapshot, session_id: str) -> None:
    """Read a session and write it with what it has led to."""
    await sync_snapshot(apply, await read_session(client, session_id))


async def _apply(apply: SyncSnapshot, reading: Snapshot) -> None:
    try:
        await apply(reading)
    except Missing:
        return  # Gone since: its deletion's event says the rest.
