"""The one Stripe customer of a user or an organization."""

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

#: Seconds for which another key is the same where Stripe remembers a failure under the first.
_SPAN = 5


async def find_or_create_customer(
    client: stripe.StripeClient,
    pocketbase: PocketBase,
    apply: SyncSnapshot,
    buyer: Buyer,
    token: str,
) -> str:
    """Return the id of the payer's Stripe customer; find or make it on the first purchase.

    However many requests of one payer run at once, Stripe makes one customer, because they send the
    same idempotency key. PocketBase then says which customer is the payer's: it keeps one.

    Raises:
        StripeUnavailable, StripeRefused, PocketBaseUnavailable, Unauthenticated
    """
    if buyer.customer:
        return buyer.customer
    if await _find(client, apply, buyer):
        buyer = await read_buyer(pocketbase, token)
        if buyer.customer:
            return buyer.customer
    organization = buyer.organization.id if buyer.organization else ""
    user = "" if organization else buyer.user
    for span in (0, int(time.time()) // _SPAN):
        created = await _create(client, buyer, span)
        claim = OwnershipClaim(created.id, user, organization, primary=True, since=created.created)
        await commit(pocketbase, CommitBatch(claims=[claim]))
        found = await read_buyer(pocketbase, token, organization=organization, owner_of=created.id)
        if found.customer:
            return found.customer
        # Stripe may have returned a stored answer: a customer that has another owner by now.
        if found.owner != "another's":
            return created.id
    raise StripeUnavailable("The new customer belongs to another user: try again.")


async def _find(client: stripe.StripeClient, apply: SyncSnapshot, buyer: Buyer) -> bool:
    """Bring in customers that have the user's address: PocketBase then says whose they are.

    Only of an address that it has verified: anybody may sign up with another's.
    """
    if buyer.organization or not buyer.verified or not buyer.email:
        return False
    listed, searched = await asyncio.gather(_list(client, buyer.email), _search(client, buyer))
    found = {
        each["id"]: Snapshot(each, reading.as_of, reading.until)
        for reading in filter(None, (searched, listed))
        for each in reading.body["data"]
        if _may_be(each, buyer)
    }
    for reading in found.values():
        try:
            await apply(reading)
        except Missing:
            continue
    return bool(found)


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


def _may_be(customer: Json, buyer: Buyer) -> bool:
    return _user_of(customer) in ("", buyer.user)


def _user_of(customer: Json) -> str:
    return str(_metadata_of(customer).get(USER_METADATA) or "")


def _metadata_of(customer: Json) -> Json:
    return as_dict(customer.get("metadata"))


async def _create(client: stripe.StripeClient, buyer: Buyer, span: int) -> stripe.Customer:
    """Create the customer; use another key if Stripe repeats a stored failure or refusal."""
    keys = (_idempotency_key(buyer, span), _idempotency_key(buyer, int(time.time()) // _SPAN))
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
        # Stripe may have failed after it had made the customer.
        if made := await _find_made(client, buyer):
            return made
    raise last


@contextmanager
def _naming_field() -> Iterator[None]:
    """Attribute an unknown refusal to the address, the only value that can be wrong."""
    try:
        yield
    except StripeRefused as refused:
        if refused.stripe.status != 400 or isinstance(refused, InputRefused):
            raise
        raise InputRefused(EMAIL.message, EMAIL.data).of(refused.stripe) from refused


async def _find_made(client: stripe.StripeClient, buyer: Buyer) -> stripe.Customer | None:
    # An organization has no address yet, nor need a user have one; it is among the newest.
    is_listed = buyer.organization or not buyer.email
    params: CustomerListParams = (
        {"limit": 100} if is_listed else {"email": buyer.email, "limit": 100}
    )
    with translate_errors():
        found = await client.v1.customers.list_async(params)
    wanted = _metadata(buyer).items()
    ours = [each for each in found.data if wanted <= _metadata_of(each.to_dict()).items()]
    return ours[-1] if ours else None


def _params(buyer: Buyer) -> "CustomerCreateParams":
    if buyer.organization:
        # The same whichever member buys; an address is given at Checkout.
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
    """The same for the same parameters: Stripe refuses a key that comes back with others.

    Another after a customer is deleted: to the old key Stripe would name the deleted one for a day.
    """
    who = f"{buyer.user}|{buyer.email}|{buyer.name}"
    if buyer.organization:
        who = f"{buyer.payer}|{buyer.organization.name}"
    who = f"{who}|{buyer.deleted_customers}"
    return f"customer-{record_id(f'{who}|{span}' if span else who)}"
