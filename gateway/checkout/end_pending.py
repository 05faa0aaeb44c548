"""Ends a pending checkout, so that the payer's next exclusive purchase can start."""

import logging
from urllib.parse import quote

import stripe

from gateway.checkout.result import sync_session
from gateway.errors import StripeRefused, StripeUnavailable
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.buyer import END_PENDING_CHECKOUT, PendingCheckoutEnd
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json
from gateway.stripe_api import SyncSnapshot, read_object, translate_errors
from gateway.vocabulary import ATTEMPT_METADATA

_log = logging.getLogger(__name__)

#: Pages of the customer's session list, of 100 sessions each.
_MAX_PAGES = 20


async def end_pending_checkout(
    pocketbase: PocketBase,
    client: stripe.StripeClient,
    sync_snapshot: SyncSnapshot,
    payer: str,
    customer: str,
    number: int,
) -> None:
    """Expire the open sessions of a purchase, and write the rows of the completed ones.

    Args:
        payer: see `Buyer.payer`.
        customer: the payer's Stripe customer.
        number: the number of the purchase; the next one is free afterwards.

    Raises:
        StripeUnavailable, StripeRefused, PocketBaseUnavailable
    """
    for session in await list_sessions(client, customer, number):
        if session["status"] != "open" or not await expire_session(client, session["id"]):
            await sync_session(client, sync_snapshot, session["id"])
    await call_hook(
        pocketbase, END_PENDING_CHECKOUT, PendingCheckoutEnd(buyer=payer, number=number)
    )
    _log.info("pending checkout ended", extra={"payer": payer, "number": number})


async def list_sessions(client: stripe.StripeClient, customer: str, number: int) -> list[Json]:
    """Return the sessions with the number; page through newer ones of the customer.

    Raises:
        Missing: Stripe has no such customer.
        StripeUnavailable, StripeRefused
    """
    first = f"/v1/checkout/sessions?limit=100&customer={quote(customer, safe='')}"
    path = first
    for _ in range(_MAX_PAGES):
        page = (await read_object(client, path)).body
        sessions: list[Json] = page["data"]
        found = [session for session in sessions if _has_number(session, number)]
        if found or not page["has_more"]:
            return found
        path = f"{first}&starting_after={quote(sessions[-1]['id'], safe='')}"
    raise StripeUnavailable("The customer has too many Checkout Sessions.")


async def expire_session(client: stripe.StripeClient, session_id: str) -> bool:
    """Return False if the session was completed meanwhile."""
    try:
        with translate_errors():
            await client.v1.checkout.sessions.expire_async(session_id)
    except StripeRefused:
        _log.info("checkout session already completed", extra={"session": session_id})
        return False
    return True


def _has_number(session: Json, number: int) -> bool:
    return bool(session["metadata"].get(ATTEMPT_METADATA) == str(number))
