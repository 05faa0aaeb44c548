"""Ends all objects of a Stripe customer that would act later without a request.

An open one could start a subscription, or charge a person who has deleted the account.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import stripe

from gateway.errors import GatewayError, StripeRefused, StripeUnavailable
from gateway.rows import Json
from gateway.stripe_api import read_object, translate_errors
from gateway.vocabulary import ENDED_SUBSCRIPTION, LIVE_SCHEDULE

#: Rounds per try: refused objects may have changed meanwhile; the last round finds none.
_MAX_ROUNDS = 3
#: Objects per round. The rest is left to the next round or try.
_MAX_OBJECTS = 300
#: Failures per round. The rest is left to the next try.
_MAX_FAILURES = 10


@dataclass(frozen=True, slots=True)
class _Kind:
    """A list of objects that act without a request."""

    #: The list's path below /v1.
    path: str
    #: Ends an object by its id.
    end: Callable[[stripe.StripeClient, str], Awaitable[Any]]
    #: Further query parameters of the list.
    query: str = ""
    #: Returns whether a listed object still acts.
    acts: Callable[[Json], bool] = lambda _: True


def _expire(client: stripe.StripeClient, session: str) -> Awaitable[Any]:
    return client.v1.checkout.sessions.expire_async(session)


def _cancel_quote(client: stripe.StripeClient, quote: str) -> Awaitable[Any]:
    return client.v1.quotes.cancel_async(quote)


def _cancel_schedule(client: stripe.StripeClient, schedule: str) -> Awaitable[Any]:
    """Cancel a schedule, and its subscription if it has started."""
    return client.v1.subscription_schedules.cancel_async(schedule)


def _cancel(client: stripe.StripeClient, subscription: str) -> Awaitable[Any]:
    return client.v1.subscriptions.cancel_async(subscription)


def _stop_collection(client: stripe.StripeClient, invoice: str) -> Awaitable[Any]:
    """Stop finalization, charges and reminders; the seller can still delete or collect it."""
    return client.v1.invoices.update_async(invoice, {"auto_advance": False})


def _delete_item(client: stripe.StripeClient, item: str) -> Awaitable[Any]:
    return client.v1.invoice_items.delete_async(item)


def _is_scheduled(schedule: Json) -> bool:
    return schedule["status"] in LIVE_SCHEDULE


def _is_live(subscription: Json) -> bool:
    return subscription["status"] not in ENDED_SUBSCRIPTION


def _advances(invoice: Json) -> bool:
    return bool(invoice.get("auto_advance"))


#: In this order: objects that can start a purchase, then purchases, then their open invoices.
_KINDS = (
    _Kind("checkout/sessions", _expire, "&status=open"),
    _Kind("quotes", _cancel_quote, "&status=draft"),
    _Kind("quotes", _cancel_quote, "&status=open"),
    _Kind("subscription_schedules", _cancel_schedule, acts=_is_scheduled),
    # Includes subscriptions that a schedule has released.
    _Kind("subscriptions", _cancel, acts=_is_live),
    _Kind("invoices", _stop_collection, "&status=draft", _advances),
    _Kind("invoices", _stop_collection, "&status=open", _advances),
    _Kind("invoiceitems", _delete_item, "&pending=true"),
)


async def end_purchases(client: stripe.StripeClient, customer: str) -> None:
    """End all objects that act later, and repeat until none is left.

    A failure for one object does not stop the others.

    Raises:
        StripeUnavailable, StripeRefused: some objects are left; try again.
    """
    for _ in range(_MAX_ROUNDS):
        found, failed = await _find(client, customer)
        if not found and not failed:
            return
        failed += await _end(client, found[:_MAX_OBJECTS])
        transient = [error for error in failed if not isinstance(error, StripeRefused)]
        if transient:
            raise transient[0]
    raise (
        failed[0]
        if failed
        else StripeUnavailable("Some purchases are not ended yet; the next try continues.")
    )


async def _find(
    client: stripe.StripeClient, customer: str
) -> tuple[list[tuple[_Kind, str]], list[GatewayError]]:
    found: list[tuple[_Kind, str]] = []
    failed: list[GatewayError] = []
    for kind in _KINDS:
        try:
            objects = await _list(client, kind, customer)
        except GatewayError as error:
            failed.append(error)
        else:
            found += [(kind, each["id"]) for each in objects if kind.acts(each)]
    return found, failed


async def _list(client: stripe.StripeClient, kind: _Kind, customer: str) -> list[Json]:
    """Return the objects of all pages."""
    path = f"/v1/{kind.path}?limit=100&customer={quote(customer, safe='')}{kind.query}"
    objects: list[Json] = []
    more = True
    while more:
        after = f"&starting_after={quote(objects[-1]['id'], safe='')}" if objects else ""
        page = (await read_object(client, path + after)).body
        objects += page["data"]
        more = bool(page["has_more"] and page["data"])
    return objects


async def _end(client: stripe.StripeClient, found: list[tuple[_Kind, str]]) -> list[GatewayError]:
    refused: list[GatewayError] = []
    failed: list[GatewayError] = []
    for kind, id in found:
        try:
            with translate_errors():
                await kind.end(client, id)
        except StripeRefused as error:
            refused.append(error)
        except GatewayError as error:
            failed.append(error)
            if len(failed) == _MAX_FAILURES:
                break
    return failed + refused
