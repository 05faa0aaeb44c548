"""Finds or creates the Stripe customer of a user or an organization."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import stripe

from gateway.customers.buyer import Buyer, read_buyer
from gateway.errors import (
    GatewayError,
    InputRefused,
    StripeFailed,
    StripeRefused,
    StripeUnavailable,
)
from gateway.ids import record_id
from gateway.pocketbase import CommitBatch, PocketBase, commit
from gateway.rows import Json, OwnershipClaim
from gateway.stripe_api import Missing, Snapshot, SyncSnapshot, read_object, translate_errors
from gateway.stripe_api.causes import EMAIL
from gateway.stripe_api.fields import as_dict
from gateway.vocabulary import ORGANIZATION_METADATA, USER_METADATA

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams, CustomerListParams

_log = logging.getLogger(__name__)

#: Seconds for which requests share the second key, if Stripe has stored a failure under the first.
_KEY_SECONDS = 5


class CustomerFound(Exception):
    """A customer of the buyer was found at Stripe, with subscriptions that PocketBase lacked.

    They are mirrored now: read the buyer's history again before selling.
    """


async def find_or_create_customer(
    client: stripe.StripeClient,
    pocketbase: PocketBase,
    sync_snapshot: SyncSnapshot,
    buyer: Buyer,
    token: str,
) -> str:
    """Return the Stripe id of the payer's customer; find or create it on the first purchase.

    Concurrent requests of one payer send the same idempotency key, so Stripe creates one customer.
    PocketBase then decides which customer the payer owns: it keeps one.

    Args:
        token: the user's PocketBase token, to read the buyer again.

    Raises:
        CustomerFound
        StripeUnavailable, StripeRefused, PocketBaseUnavailable, Unauthenticated
    """
    if buyer.customer:
        return buyer.customer
    if await _find(client, sync_snapshot, buyer):
        buyer = await read_buyer(pocketbase, token)
        if buyer.customer:
            raise CustomerFound
    organization = buyer.organization.id if buyer.organization else ""
    user = "" if organization else buyer.user
    for span in (0, int(time.time()) // _KEY_SECONDS):
        created = await _create(client, buyer, span)
        claim = OwnershipClaim(created.id, user, organization, primary=True, since=created.created)
        await commit(pocketbase, CommitBatch(claims=[claim]))
        found = await read_buyer(pocketbase, token, organization=organization, owner_of=created.id)
        if found.customer:
            return found.customer
        # Stripe may have returned a stored answer, with a customer that has another owner now.
        if found.owner != "another's":
            return created.id
    raise StripeUnavailable("The new customer belongs to another user. Try again.")


async def _find(client: stripe.StripeClient, sync_snapshot: SyncSnapshot, buyer: Buyer) -> bool:
    """Mirror customers with the user's e-mail address, and their subscriptions.

    PocketBase then decides about their owner. Only for a verified address: a user can sign up with
    any address.
    """
    if buyer.organization or not buyer.verified or not buyer.email:
        return False
    listed, searched = await asyncio.gather(_list(client, buyer.email), _search(client, buyer))
    found = {
        each["id"]: Snapshot(each, snapshot.as_of, snapshot.until)
        for snapshot in filter(None, (searched, listed))
        for each in snapshot.body["data"]
        if _may_belong(each, buyer)
    }
    for snapshot in found.values():
        try:
            await sync_snapshot(snapshot)
            await _mirror_subscriptions(client, sync_snapshot, snapshot.body["id"])
        except Missing:
            continue
    return bool(found)


async def _mirror_subscriptions(
    client: stripe.StripeClient, sync_snapshot: SyncSnapshot, customer: str
) -> None:
    """Mirror a customer's newest 100 subscriptions, also ended ones: they may have had a trial.

    A running one excludes another, and its events may be older than this gateway.
    """
    path = f"/v1/subscriptions?limit=100&status=all&customer={quote(customer, safe='')}"
    listed = await read_object(client, path)
    for each in listed.body["data"]:
        await sync_snapshot(Snapshot(each, listed.as_of, listed.until))


async def _list(client: stripe.StripeClient, email: str) -> Snapshot:
    """List customers: immediately consistent, but the address must match exactly."""
    return await read_object(client, f"/v1/customers?limit=100&email={quote(email, safe='')}")


async def _search(client: stripe.StripeClient, buyer: Buyer) -> Snapshot | None:
    """Search customers: ignores case, but lags by a minute; some accounts and keys lack it."""
    if "'" in buyer.email or "\\" in buyer.email:
        return None
    query = quote(f"email:'{buyer.email}'", safe="")
    try:
        return await read_object(client, f"/v1/customers/search?limit=100&query={query}")
    except GatewayError as error:
        _log.info("customer search unavailable", extra={"reason": error.detail})
        return None


def _may_belong(customer: Json, buyer: Buyer) -> bool:
    return _user_of(customer) in ("", buyer.user)


def _user_of(customer: Json) -> str:
    return str(_metadata_of(customer).get(USER_METADATA) or "")


def _metadata_of(customer: Json) -> Json:
    return as_dict(customer.get("metadata"))


async def _create(client: stripe.StripeClient, buyer: Buyer, span: int) -> stripe.Customer:
    """Create the customer; try a second key if Stripe repeats a stored failure or refusal."""
    keys = (
        _idempotency_key(buyer, span),
        _idempotency_key(buyer, int(time.time()) // _KEY_SECONDS),
    )
    for key in dict.fromkeys(keys):
        try:
            with _naming_field(), translate_errors():
                return await client.v1.customers.create_async(
                    _params(buyer), {"idempotency_key": key}
                )
        except (StripeFailed, StripeRefused) as failed:
            if not failed.stripe.is_replayed:
                raise
            last = failed
        # Stripe may have failed after creating the customer.
        if created := await _find_created(client, buyer):
            return created
    raise last


@contextmanager
def _naming_field() -> Iterator[None]:
    """Attribute an unknown refusal to the e-mail address, the only value that can be invalid."""
    try:
        yield
    except StripeRefused as refused:
        if refused.stripe.status != 400 or isinstance(refused, InputRefused):
            raise
        raise InputRefused(EMAIL.message, EMAIL.data).of(refused.stripe) from refused


async def _find_created(client: stripe.StripeClient, buyer: Buyer) -> stripe.Customer | None:
    # Without an address (organizations, some users), search the newest customers.
    is_listed = buyer.organization or not buyer.email
    params: CustomerListParams = (
        {"limit": 100} if is_listed else {"email": buyer.email, "limit": 100}
    )
    with translate_errors():
        found = await client.v1.customers.list_async(params)
    metadata = _metadata(buyer).items()
    ours = [each for each in found.data if metadata <= _metadata_of(each.to_dict()).items()]
    return ours[-1] if ours else None


def _params(buyer: Buyer) -> "CustomerCreateParams":
    if buyer.organization:
        # Equal for all members who buy; the e-mail address is entered at Checkout.
        return {"name": buyer.organization.name, "metadata": _metadata(buyer)}
    params: CustomerCreateParams = {"metadata": _metadata(buyer)}
    # Stripe refuses an empty address.
    if buyer.email:
        params["email"] = buyer.email
    if buyer.name:
        params["name"] = buyer.name
    return params


def _metadata(buyer: Buyer) -> dict[str, str]:
    if buyer.organization:
        return {ORGANIZATION_METADATA: buyer.organization.id}
    return {USER_METADATA: buyer.user}


def _idempotency_key(buyer: Buyer, span: int = 0) -> str:
    """Return a key that is equal for equal parameters: Stripe refuses a key with others.

    It changes when a customer is deleted: for a day, Stripe would answer the old key with the
    deleted customer.

    Args:
        span: distinguishes further keys, 0 for the first.
    """
    content = f"{buyer.user}|{buyer.email}|{buyer.name}"
    if buyer.organization:
        content = f"{buyer.payer}|{buyer.organization.name}"
    content = f"{content}|{buyer.deleted_customers}"
    return f"customer-{record_id(f'{content}|{span}' if span else content)}"
