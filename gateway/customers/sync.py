"""Updates Stripe customers after changes of their users: address, name, owner, deletion.

PocketBase adds an item to the queue in the transaction of each change
(pb_hooks/lib/customers/stripe_changes.js), so nothing is lost while the gateway or Stripe is down,
and no write in PocketBase waits for them. The items of one customer run in order. See
docs/decisions/061-customers-and-parts-as-work.md.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.customers.deletion import DeletionPolicy, delete_customer
from gateway.customers.mark_deleted import mark_deleted
from gateway.errors import GatewayError, StripeFailure, StripeRefused
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.customer_changes import (
    READ_CHANGE,
    CurrentChange,
    CustomerChange,
)
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import payer_metadata
from gateway.stripe_api import translate_errors
from gateway.work import Cancel, Done, Outcome, Park, Retry, WorkContext, WorkHandler, WorkItem

if TYPE_CHECKING:
    from stripe.params import CustomerUpdateParams

SYNC = "gateway.customers.sync"
#: The prefix of a payer that is an organization.
_ORGANIZATION = "organizations/"
_MAX_RETRY_SECONDS = 600
#: Concurrent items in one process: Stripe limits requests.
_CONCURRENCY = 10


def build_customer_sync(
    pocketbase: PocketBase, client: stripe.StripeClient, policy: DeletionPolicy
) -> WorkHandler:
    """Return the work handler; it is retried until Stripe answers."""
    sync = CustomerSync(pocketbase, client, policy)
    # Without a limit of time: each call to Stripe has one, and a customer may have many purchases.
    return WorkHandler(SYNC, sync.run, tries=0, timeout=None, concurrency=_CONCURRENCY)


@dataclass(frozen=True, slots=True)
class CustomerSync:
    """Makes one change at Stripe; repeating it changes nothing."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    deletion_policy: DeletionPolicy

    async def run(self, item: WorkItem, context: WorkContext) -> Outcome:
        """Make the change of an item; the outcome of a deletion is the item's result."""
        change = CustomerChange(customer=item.key, **item.payload)
        current = await call_hook(self.pocketbase, READ_CHANGE, change)
        if current.outdated:
            return Cancel(current.outdated)
        # The claim makes a new key per attempt, because Stripe also stores failures.
        key = f"{item.id}-{item.claim}"
        try:
            return Done({"outcome": await self._make(change, current, key)})
        except GatewayError as error:
            return _retry_or_give_up(change, item.attempts, error)

    async def _make(self, change: CustomerChange, current: CurrentChange, key: str) -> str:
        if change.change == "delete":
            policy: DeletionPolicy = "delete" if current.erased else self.deletion_policy
            return await delete_customer(self.client, change.customer, policy, key)
        if change.change == "move":
            return await self._update(change, _move_params(change, current), f"move-{key}", "moved")
        params = _update_params(current)
        if not params:
            return "updated"
        return await self._update(change, params, f"follow-{key}", "updated")

    async def _update(
        self, change: CustomerChange, params: "CustomerUpdateParams", key: str, outcome: str
    ) -> str:
        with translate_errors():
            try:
                await self.client.v1.customers.update_async(
                    change.customer, params, {"idempotency_key": key}
                )
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                await mark_deleted(self.pocketbase, change.customer)
                return "gone"
        return outcome


def _update_params(current: CurrentChange) -> "CustomerUpdateParams":
    """Return the address and name; None leaves the value at Stripe unchanged."""
    params: CustomerUpdateParams = {}
    if current.email is not None:
        params["email"] = current.email
    if current.name is not None:
        params["name"] = current.name
    return params


def _move_params(change: CustomerChange, current: CurrentChange) -> "CustomerUpdateParams":
    """Return the new owner's metadata, address and name, after a superuser edited the owner.

    See pb_hooks/lib/customers/manual_transfer.js.
    """
    is_user = not change.payer.startswith(_ORGANIZATION)
    user = change.payer if is_user else ""
    organization = "" if is_user else change.payer.removeprefix(_ORGANIZATION)
    params: CustomerUpdateParams = {"metadata": payer_metadata(user, organization)}
    if current.email:
        params["email"] = current.email
    if current.name:
        params["name"] = current.name
    return params


def _retry_or_give_up(change: CustomerChange, attempts: int, error: GatewayError) -> Outcome:
    """Park if Stripe refuses the address or name; retry after all other failures.

    Deletions are never parked: the deletion of personal data is a duty.
    """
    reason = _format_error(error)
    is_invalid = isinstance(error, StripeRefused) and error.stripe.status in (400, 404)
    if is_invalid and change.change != "delete":
        return Park(reason)
    return Retry(reason, delay=min(2 ** min(attempts, 20), _MAX_RETRY_SECONDS))


def _format_error(error: GatewayError) -> str:
    """Return Stripe's error codes, without its message: it can contain an address."""
    if not isinstance(error, StripeFailure):
        return error.detail
    codes = ", ".join(str(each) for each in error.stripe.log_fields.values())
    return f"{error.detail} ({codes})" if codes else error.detail
