"""Updates Stripe customers after changes of their users: address, name, deletion.

PocketBase stores each such change in its own transaction (pb_hooks/lib/customers/tasks.js), so
nothing is lost while the gateway or Stripe is down, and no write in PocketBase waits for either.
Several gateways share the tasks: each is leased to one gateway for some minutes.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import stripe

from gateway.background import repeat
from gateway.customers.deletion import DeletionPolicy, delete_customer
from gateway.customers.mark_deleted import mark_deleted
from gateway.customers.vacancies import OrganizationCheck
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
_AT_ONCE = 10
#: How the payer of a task begins that is an organization.
_ORGANIZATION = "organizations/"
#: Seconds for which a task is one gateway's: longer than all of them can take with their retries.
_LEASE = 300
_LONGEST_WAIT = 600


@dataclass(frozen=True, slots=True)
class CustomerSync:
    """Carries out what is due."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    farewell: DeletionPolicy
    organizations: OrganizationCheck

    async def run(self) -> NoReturn:
        """Look every few seconds; what fails is logged and tried again."""
        await repeat(self._carry_out_all, _PAUSE_SECONDS, _log, "customer tasks", GatewayError)

    async def _carry_out_all(self) -> None:
        await self.organizations.check()
        while await self.carry_out():
            pass

    async def carry_out(self) -> int:
        """Carry out some tasks that are due; return how many there were."""
        asked = TakeRequest(limit=_AT_ONCE, lease=_LEASE)
        tasks = (await call_hook(self.pocketbase, TAKE_TASKS, asked)).tasks
        await asyncio.gather(*(self._carry_out(task) for task in tasks))
        return len(tasks)

    async def _carry_out(self, task: CustomerTask) -> None:
        told = {"task": task.id, "kind": task.kind, "customer": task.customer}
        try:
            outcome = await self._do(task)
        except GatewayError as error:
            reason = _format_error(error)
            _log.warning("customer task failed", extra={**told, "reason": reason})
            end = _go_on(task, error, reason)
        else:
            _log.info("customer task done", extra={**told, "outcome": outcome})
            end = TaskEnd(id=task.id, version=task.version, outcome=outcome)
        await call_hook(self.pocketbase, END_TASK, end)

    async def _do(self, task: CustomerTask) -> str:
        # Another for each try: Stripe remembers failures too.
        key = f"{task.id}-{task.version}-{task.attempts}"
        if task.kind == "forget":
            return await delete_customer(self.client, task.customer, self.farewell, key)
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
    """The address and name; None leaves the value at Stripe unchanged."""
    params: CustomerUpdateParams = {}
    if task.email is not None:
        params["email"] = task.email
    if task.name is not None:
        params["name"] = task.name
    return params


def _move_params(task: CustomerTask) -> "CustomerUpdateParams":
    """The new owner's metadata, address and name, after a superuser edited the owner.

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


def _go_on(task: CustomerTask, error: GatewayError, reason: str) -> TaskEnd:
    """An address or name that Stripe finds wrong stays so; all else may end, and is waited for.

    To forget somebody is owed, so that is tried for ever.
    """
    is_wrong = isinstance(error, StripeRefused) and error.stripe.status in (400, 404)
    if is_wrong and task.kind != "forget":
        return TaskEnd(id=task.id, version=task.version, outcome="failed", error=reason)
    return TaskEnd(id=task.id, error=reason, retry=min(2**task.attempts, _LONGEST_WAIT))


def _format_error(error: GatewayError) -> str:
    """What Stripe answered without its sentence, which may repeat an address."""
    if not isinstance(error, StripeFailure):
        return error.detail
    said = ", ".join(str(each) for each in error.stripe.log_fields.values())
    return f"{error.detail} ({said})" if said else error.detail
