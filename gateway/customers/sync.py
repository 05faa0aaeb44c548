"""Updates Stripe customers after changes of their users: address, name, owner, deletion.

PocketBase stores a task in the transaction of each change (pb_hooks/lib/customers/tasks.js), so
nothing is lost while the gateway or Stripe is down, and no write in PocketBase waits for them.
Several gateways share the tasks; a task is leased to one gateway for five minutes.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import stripe

from gateway.background import repeat
from gateway.customers.deletion import DeletionPolicy, delete_customer
from gateway.customers.mark_deleted import mark_deleted
from gateway.errors import GatewayError, StripeFailure, StripeRefused
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.customer_tasks import (
    END_TASK,
    TAKE_TASKS,
    CustomerTask,
    TakeRequest,
    TaskEnd,
)
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import payer_metadata
from gateway.stripe_api import translate_errors

if TYPE_CHECKING:
    from stripe.params import CustomerUpdateParams

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0
_MAX_TASKS = 10
#: The prefix of the payer of a task that is an organization.
_ORGANIZATION = "organizations/"
#: The lease of a task: longer than a batch of tasks can take with its retries.
_LEASE_SECONDS = 300
_MAX_RETRY_SECONDS = 600


@dataclass(frozen=True, slots=True)
class CustomerSync:
    """Carries out the tasks that are due; runs in the background."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    deletion_policy: DeletionPolicy

    async def run(self) -> NoReturn:
        """Read tasks every two seconds; log failures and try again."""
        await repeat(self._carry_out_all, _PAUSE_SECONDS, _log, "customer tasks", GatewayError)

    async def _carry_out_all(self) -> None:
        while await self.carry_out():
            pass

    async def carry_out(self) -> int:
        """Carry out up to ten tasks that are due; return their number.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        request = TakeRequest(limit=_MAX_TASKS, lease=_LEASE_SECONDS)
        tasks = (await call_hook(self.pocketbase, TAKE_TASKS, request)).tasks
        await asyncio.gather(*(self._carry_out(task) for task in tasks))
        return len(tasks)

    async def _carry_out(self, task: CustomerTask) -> None:
        fields = {"task": task.id, "kind": task.kind, "customer": task.customer}
        try:
            outcome = await self._run(task)
        except GatewayError as error:
            reason = _format_error(error)
            _log.warning("customer task failed", extra={**fields, "reason": reason})
            end = _retry_or_give_up(task, error, reason)
        else:
            _log.info("customer task done", extra={**fields, "outcome": outcome})
            end = TaskEnd(id=task.id, version=task.version, outcome=outcome)
        await call_hook(self.pocketbase, END_TASK, end)

    async def _run(self, task: CustomerTask) -> str:
        # A new key per try, because Stripe also stores failures.
        key = f"{task.id}-{task.version}-{task.attempts}"
        if task.kind == "forget":
            return await delete_customer(self.client, task.customer, self.deletion_policy, key)
        if task.kind == "move":
            return await self._update(task, _move_params(task), f"move-{key}", "moved")
        params = _update_params(task)
        return await self._update(task, params, f"follow-{key}", "updated") if params else "updated"

    async def _update(
        self, task: CustomerTask, params: "CustomerUpdateParams", key: str, outcome: str
    ) -> str:
        with translate_errors():
            try:
                await self.client.v1.customers.update_async(
                    task.customer, params, {"idempotency_key": key}
                )
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                await mark_deleted(self.pocketbase, task.customer)
                return "gone"
        return outcome


def _update_params(task: CustomerTask) -> "CustomerUpdateParams":
    """Return the address and name; None leaves the value at Stripe unchanged."""
    params: CustomerUpdateParams = {}
    if task.email is not None:
        params["email"] = task.email
    if task.name is not None:
        params["name"] = task.name
    return params


def _move_params(task: CustomerTask) -> "CustomerUpdateParams":
    """Return the new owner's metadata, address and name, after a superuser edited the owner.

    See pb_hooks/lib/customers/manual_transfer.js.
    """
    is_user = not task.user.startswith(_ORGANIZATION)
    user = task.user if is_user else ""
    organization = "" if is_user else task.user.removeprefix(_ORGANIZATION)
    params: CustomerUpdateParams = {"metadata": payer_metadata(user, organization)}
    if task.email:
        params["email"] = task.email
    if task.name:
        params["name"] = task.name
    return params


def _retry_or_give_up(task: CustomerTask, error: GatewayError, reason: str) -> TaskEnd:
    """Give up if Stripe refuses the address or name; retry after all other failures.

    Deletions are never given up: the deletion of personal data is a duty.
    """
    is_invalid = isinstance(error, StripeRefused) and error.stripe.status in (400, 404)
    if is_invalid and task.kind != "forget":
        return TaskEnd(id=task.id, version=task.version, outcome="failed", error=reason)
    return TaskEnd(id=task.id, error=reason, retry=min(2**task.attempts, _MAX_RETRY_SECONDS))


def _format_error(error: GatewayError) -> str:
    """Return Stripe's error codes, without its message: it can contain an address."""
    if not isinstance(error, StripeFailure):
        return error.detail
    codes = ", ".join(str(each) for each in error.stripe.log_fields.values())
    return f"{error.detail} ({codes})" if codes else error.detail
