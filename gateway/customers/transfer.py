"""Moves a Stripe customer to another user or organization, at Stripe and in PocketBase.

Stripe's metadata decides the owner, so it is changed first. Then the customer is read and its row
written as by its webhook; rows that refer to it move with it. See
docs/decisions/022-one-owner-per-customer.md.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import stripe

from gateway.errors import Conflict, NotFound, invalid_field
from gateway.ids import record_id
from gateway.mirror.registry import path_of
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.rows import Json, payer_metadata
from gateway.stripe_api import Missing, Snapshot, SyncSnapshot, read_object, translate_errors
from gateway.work.parts import MOVE_ROWS, finish_parts

if TYPE_CHECKING:
    from stripe.params import CustomerUpdateParams


class NoSuchCustomer(NotFound):
    """Stripe has no such customer."""


class CustomerLeaving(Conflict):
    """The former owner was deleted and the deletion at Stripe is pending: try again later."""


@dataclass(frozen=True, slots=True)
class Payer:
    """The owner of a customer: a user's record id or an organization's; the other is empty."""

    user: str = ""
    organization: str = ""

    @property
    def name(self) -> str:
        """The owner as text, for command output."""
        if self.organization:
            return f"organization {self.organization}"
        return f"user {self.user}" if self.user else "nobody"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A completed move: the customer's Stripe id, its former and its new owner."""

    customer: str
    before: Payer
    after: Payer


@dataclass(frozen=True, slots=True)
class CustomerTransfer:
    """Moves customers; repeating a move changes nothing."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    sync_snapshot: SyncSnapshot

    async def move(self, customer: str, to: Payer) -> Transfer:
        """Move a customer and all its purchases to a payer.

        Args:
            customer: its Stripe id.

        Raises:
            InvalidRequest: the payer does not exist, or not exactly one is given.
            NoSuchCustomer, CustomerLeaving
            StripeUnavailable, StripeRefused, PocketBaseUnavailable: repeat the move.
        """
        record = await self._read_payer(to)
        await self._read_customer(customer)
        row = await self._read_row(customer)
        before = Payer(row.get("user", ""), row.get("organization", ""))
        with translate_errors():
            await self.client.v1.customers.update_async(customer, _params(to, record))
        await self.sync_snapshot(await self._read_customer(customer))
        row = await self._read_row(customer)
        if (row.get("user"), row.get("organization")) != (to.user, to.organization):
            raise CustomerLeaving
        # Rows that were too many for one transaction.
        await finish_parts(self.pocketbase, MOVE_ROWS, record_id(customer))
        return Transfer(customer, before, to)

    async def _read_payer(self, to: Payer) -> Json:
        field = "organization" if to.organization else "user"
        if bool(to.user) == bool(to.organization):
            raise invalid_field(field, "one_owner", "Send a user or an organization, not both.")
        records = self.pocketbase.records_path(f"{field}s")
        path = f"{records}/{quote(to.user or to.organization, safe='')}"
        try:
            return await self.pocketbase.call("GET", path)
        except PocketBaseRefused as refused:
            if refused.status != 404:
                raise
            raise invalid_field(field, "owner_unknown", f"There is no such {field}.") from refused

    async def _read_customer(self, customer: str) -> Snapshot:
        try:
            snapshot = await read_object(self.client, path_of("customer", customer))
        except Missing:
            raise NoSuchCustomer from None
        if snapshot.body.get("deleted"):
            raise NoSuchCustomer("The customer was deleted at Stripe.")
        return snapshot

    async def _read_row(self, customer: str) -> Json:
        path = f"{self.pocketbase.records_path('customers')}/{record_id(customer)}"
        try:
            return await self.pocketbase.call("GET", path)
        except PocketBaseRefused as refused:
            if refused.status != 404:
                raise
            return {}


def _params(to: Payer, record: Json) -> "CustomerUpdateParams":
    """Return the new owner's metadata and name, and a user's e-mail address."""
    params: CustomerUpdateParams = {"metadata": payer_metadata(to.user, to.organization)}
    known: dict[str, Any] = {name: record.get(name) for name in ("email", "name")}
    if to.user and known["email"]:
        params["email"] = known["email"]
    if known["name"]:
        params["name"] = known["name"]
    return params
