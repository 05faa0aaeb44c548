"""Deletes a person: the account, the customers at Stripe, and personal data in stored rows.

Each step can be repeated, so the command continues after a crash: PocketBase keeps what is searched
for until the last step (docs/decisions/057-deletion-of-personal-data.md).
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_hex

import stripe

from gateway.customers.deletion import delete_customer
from gateway.errors import GatewayError
from gateway.ids import record_id
from gateway.mirror.registry import path_of
from gateway.pocketbase.contracts.privacy import (
    BEGIN_ERASURE,
    ERASE_PART,
    FINISH_ERASURE,
    ErasePartRequest,
    FinishRequest,
)
from gateway.pocketbase.contracts.teams import CHECK_ORGANIZATIONS, OrganizationsRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.privacy.errors import CannotDelete, NotFinished
from gateway.privacy.links import Link, find_links, find_team_collections
from gateway.privacy.person import DataSubject
from gateway.privacy.search import Search
from gateway.retries import retrying
from gateway.rows import Json
from gateway.stripe_api import SyncSnapshot, read_object
from gateway.vocabulary import COLLECTIONS, CollectionNames

#: Rows that one transaction changes.
_PART_ROWS = 50
_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 5.0
_STRIPE_ATTEMPTS = 5
#: How long to wait for background work: of the person, or to change an organization's address.
_WORK_SECONDS = 60.0
#: The last step deletes the rows of these.
_AT_THE_END = ("billing_contacts", "erasures")


@dataclass(slots=True)
class DeletionReport:
    """The result of a deletion."""

    #: Changed or deleted rows by collection.
    erased: dict[str, int] = field(default_factory=dict)
    #: Records of the team that contain an address and are linked by no column.
    left: dict[str, int] = field(default_factory=dict)
    #: Lines of PocketBase's request log that were deleted.
    log_lines: int = 0

    def add(self, collection: str, changed: int) -> None:
        """Count rows."""
        if changed:
            self.erased[collection] = self.erased.get(collection, 0) + changed


@dataclass(frozen=True, slots=True)
class Deletion:
    """Deletes one person after the other."""

    search: Search
    client: stripe.StripeClient
    #: Writes the row of an object that was read from Stripe.
    sync_snapshot: SyncSnapshot
    names: CollectionNames
    email_columns: Sequence[str]

    async def check(self, person: DataSubject, *, hand_over: bool) -> None:
        """Refuse a deletion that PocketBase would refuse, or that leaves members without an owner.

        Raises:
            CannotDelete
        """
        if person.owned and not hand_over:
            raise CannotDelete(
                f"The user is the last owner of organizations with other members"
                f" ({', '.join(person.owned)}): make another member an owner, or add --hand-over,"
                " which promotes the oldest admin or member."
            )
        for link in await self._list_links():
            if link.required and not link.cascades and (count := await self._count(link, person)):
                raise CannotDelete(
                    f"{count} records of {link.collection} must have a user in {link.column}:"
                    " delete them, give them another user, or let the relation cascade or be empty."
                )

    async def describe(self, person: DataSubject) -> dict[str, int]:
        """Return the numbers of records that name the user, by collection and column."""
        counted = {}
        for link in await self._list_links():
            if link.kind in ("relation", "email") and (count := await self._count(link, person)):
                counted[f"{link.collection}.{link.column}"] = count
        return counted

    async def run(self, person: DataSubject, *, vacuum: bool = False) -> DeletionReport:
        """Delete all data; completed steps are skipped.

        Args:
            vacuum: rewrite PocketBase's file, because deleted rows leave remains in free pages.

        Raises:
            NotFinished: Stripe or a running job did not end in time.
            PocketBaseRefused: a hook of the team refuses the deletion of the user.
        """
        report = DeletionReport()
        linked, others = await self._sort_collections()
        for name in linked:
            await self._erase(name, "", person, report, [person.user] if person.user else [])
        await call_hook(self.search.pocketbase, BEGIN_ERASURE, person.erasure)
        await self._delete_at_stripe(person)
        await self._replace_contacts(person)
        for key in COLLECTIONS:
            if key not in _AT_THE_END:
                await self._erase_key(key, person, report)
        for name in others:
            if ids := await self.search.find_ids(name, person.contacts):
                report.left[name] = len(ids)
        request = FinishRequest(**dict(person.erasure), vacuum=vacuum)
        report.log_lines = (
            await call_hook(self.search.pocketbase, FINISH_ERASURE, request)
        ).changed
        return report

    async def _list_links(self) -> list[Link]:
        collections = await self.search.records.collections.list()
        return find_links(collections, self.names, self.email_columns)

    async def _count(self, link: Link, person: DataSubject) -> int:
        if link.kind == "email":
            return len(await self.search.find_ids(link.collection, person.emails))
        wanted = link.matches(person.user, [])
        return await self.search.records.collection(link.collection).count(wanted) if wanted else 0

    async def _sort_collections(self) -> tuple[list[str], list[str]]:
        """Return the team's collections with a link to a person, and those without."""
        collections = await self.search.records.collections.list()
        links = find_links(collections, self.names, self.email_columns)
        with_link = {link.collection for link in links if link.kind in ("relation", "email")}
        team = find_team_collections(collections, self.names)
        linked = [each for each in team if each in with_link]
        return linked, [each for each in team if each not in with_link]

    async def _delete_at_stripe(self, person: DataSubject) -> None:
        """Delete the customers; running gateways may do the same by their queue.

        Raises:
            StripeUnavailable, StripeRefused: after some tries.
        """
        for each in person.customers:
            key = token_hex(8)
            async for attempt in retrying(
                GatewayError,
                first=_PAUSE_SECONDS,
                longest=_MAX_PAUSE_SECONDS,
                attempts=_STRIPE_ATTEMPTS,
            ):
                with attempt:
                    await delete_customer(self.client, each.id, "delete", f"{key}-{attempt.num}")

    async def _replace_contacts(self, person: DataSubject) -> None:
        """Give organizations with other members another manager's address, also at Stripe.

        An address of no member stays, because it was entered on purpose.
        """
        if not person.organizations:
            return
        await self._check_organizations()
        end = time.monotonic() + _WORK_SECONDS
        while rows := await self._list_contacts(person):
            if time.monotonic() > end:
                raise NotFinished(
                    f"{rows[0]['stripe_id']}, the customer of an organization, still has the"
                    " address: start a gateway, which replaces it by another manager's, or change"
                    " it in Stripe's dashboard; then repeat the command."
                )
            await self._check_organizations()
            for row in rows:
                path = path_of("customer", row["stripe_id"])
                await self.sync_snapshot(await read_object(self.client, path))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _check_organizations(self) -> None:
        """Promote new owners, and enqueue updates of addresses."""
        request = OrganizationsRequest(seen=())
        await call_hook(self.search.pocketbase, CHECK_ORGANIZATIONS, request)

    async def _list_contacts(self, person: DataSubject) -> list[Json]:
        """Return the customers of organizations that have the person's address."""
        found = [await self.search.find("customers", each, "email") for each in person.emails]
        return [row for rows in found for row in rows if row["organization"] and not row["deleted"]]

    async def _erase_key(self, key: str, person: DataSubject, report: DeletionReport) -> None:
        """Erase one of the gateway's collections; work that still runs is waited for."""
        own = [*(each.id for each in person.customers), *person.objects]
        own += [record_id(each) for each in own]
        if key == "work" and person.user:
            own.append(person.user)
        end = time.monotonic() + _WORK_SECONDS
        while await self._erase(self.names.of(key), key, person, report, own):
            if time.monotonic() > end:
                raise NotFinished("Background work about the user still runs: repeat the command.")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _erase(
        self, name: str, key: str, person: DataSubject, report: DeletionReport, own: Sequence[str]
    ) -> int:
        """Erase all parts of a collection; return the number of rows of work that still run."""
        after = running = 0
        while True:
            request = ErasePartRequest(
                collection=name,
                key=key,
                after=after,
                limit=_PART_ROWS,
                texts=(*own, *person.contacts),
                user=person.user,
                own=tuple(own),
                contacts=person.contacts,
                names=person.names,
            )
            answer = await call_hook(self.search.pocketbase, ERASE_PART, request)
            report.add(name, answer.changed)
            after, running = answer.next, running + answer.open
            if not after:
                return running
