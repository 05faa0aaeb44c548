"""The features that a customer has now, read from Stripe.

An event shows only the first few of them, and says so by `has_more`; it tells of no further page.
"""

from dataclasses import replace
from urllib.parse import quote

import stripe

from gateway.shapes import listing, mapping, stripe_id
from gateway.stripe_api import Reading, read_object
from gateway.webhooks.paths import SUMMARY, path_of
from gateway.writes import Json

#: Pages of a hundred features.
_MOST_PAGES = 10


def is_partial(item: Json) -> bool:
    """Whether an event's object is a summary that does not name every feature."""
    is_summary = item.get("object") == SUMMARY
    return is_summary and mapping(item.get("entitlements")).get("has_more") is True


async def read_summary(client: stripe.StripeClient, customer: str, version: str) -> Reading:
    """Return a customer's summary as an event would show it, with all features.

    Args:
        version: see `read_object`.

    Raises:
        Missing, StripeUnavailable, StripeRefused
    """
    path = path_of(SUMMARY, customer)
    reading = page = await read_object(client, path, version)
    found = listing(page.body)
    for _ in range(_MOST_PAGES - 1):
        if not page.body.get("has_more") or not found:
            break
        after = quote(stripe_id(found[-1]), safe="")
        page = await read_object(client, f"{path}&starting_after={after}", version)
        found += listing(page.body)
    body = {"object": SUMMARY, "customer": customer, "entitlements": {"data": found}}
    return replace(reading, body=body, until=page.until)
