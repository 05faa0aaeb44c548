"""Exports everything that is stored about a person."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import stripe

from gateway.dates import now_column
from gateway.errors import GatewayError
from gateway.ids import record_id
from gateway.pocketbase.api import NotFound
from gateway.privacy.archive import Archive
from gateway.privacy.cleaning import clean, find_secret_fields
from gateway.privacy.links import Link, find_links
from gateway.privacy.person import DataSubject
from gateway.privacy.search import Search
from gateway.rows import Json
from gateway.stripe_api import Missing, read_object
from gateway.vocabulary import CollectionNames

#: Collections with JSON that names a person: they are searched for ids.
_SEARCHED = ("stripe_events", "stripe_objects", "work")
#: Internal records of deletions.
_LEFT_OUT = ("erasures",)


@dataclass(frozen=True, slots=True)
class PersonExport:
    """Writes one person's data into an archive."""

    search: Search
    client: stripe.StripeClient | None
    names: CollectionNames
    email_columns: Sequence[str]
    #: Numbers of exported records by collection.
    counts: dict[str, int] = field(default_factory=dict)

    async def write(self, person: DataSubject, archive: Archive) -> None:
        """Write all records with their files, the objects at Stripe, and a manifest.

        Raises:
            GatewayError: PocketBase does not answer.
        """
        collections = await self.search.records.collections.list()
        found = await self._find(person, collections)
        for collection in collections:
            if ids := found.get(collection["name"]):
                await self._write_collection(person, archive, collection, ids)
        archive.write_json("manifest.json", await self._write_stripe(person, archive))

    async def _find(self, person: DataSubject, collections: Sequence[Json]) -> dict[str, list[str]]:
        """Return the ids of the person's records by collection."""
        customers = [record_id(each.id) for each in person.customers]
        found: dict[str, dict[str, None]] = {}
        if person.account:
            found[self.names.auth] = {person.account["id"]: None}
        found[self.names.of("customers")] = dict.fromkeys(customers)
        found[self.names.of("organizations")] = dict.fromkeys(person.organizations)
        left_out = {self.names.of(each) for each in _LEFT_OUT}
        for link in find_links(collections, self.names, self.email_columns):
            if link.collection not in left_out:
                ids = await self._find_linked(link, person, customers)
                found.setdefault(link.collection, {}).update(dict.fromkeys(ids))
        for key in _SEARCHED:
            texts = [*(each.id for each in person.customers), *person.objects]
            texts += [person.user] if key == "work" and person.user else []
            ids = await self.search.find_ids(self.names.of(key), texts)
            found.setdefault(self.names.of(key), {}).update(dict.fromkeys(ids))
        return {name: list(ids) for name, ids in found.items()}

    async def _find_linked(
        self, link: Link, person: DataSubject, customers: Sequence[str]
    ) -> list[str]:
        if link.kind == "email":
            return await self.search.find_ids(link.collection, person.emails)
        wanted = link.matches(person.user, customers)
        if not wanted:
            return []
        records = self.search.records.collection(link.collection)
        return [each["id"] async for each in records.iterate(filter=wanted, fields="id")]

    async def _write_collection(
        self, person: DataSubject, archive: Archive, collection: Json, ids: Sequence[str]
    ) -> None:
        name = collection["name"]
        files = [each for each in collection["fields"] if each["type"] == "file"]
        stored: list[tuple[str, str, bool]] = []

        async def read() -> AsyncIterator[Json]:
            async for record in self.search.read(name, ids):
                stored.extend(_list_files(record, files))
                yield clean(record, person.contacts, find_secret_fields(collection))

        count = await archive.write_records(f"pocketbase/{name}.json", read())
        if count:
            self.counts[name] = count
        for id, filename, protected in stored:
            await self._write_file(archive, name, id, filename, protected)

    async def _write_file(
        self, archive: Archive, name: str, id: str, filename: str, protected: bool
    ) -> None:
        records = self.search.records.collection(name)
        try:
            async with records.open_file(id, filename, protected=protected) as file:
                await archive.write_file(f"files/{name}/{id}/{filename}", file.chunks)
        except NotFound:
            # Deleted meanwhile, or missing in the storage: the record names it.
            return

    async def _write_stripe(self, person: DataSubject, archive: Archive) -> Json:
        """Write the objects at Stripe; return the manifest."""
        reason = "" if self.client else "no key"
        if self.client:
            try:
                found = [await _read_customer(self.client, each.id) for each in person.customers]
                archive.write_json(
                    "stripe/customers.json",
                    [clean(each, person.contacts) for each in found if each],
                )
            except GatewayError as error:
                reason = error.detail
        return {
            "user": person.user,
            "customers": [each.id for each in person.customers],
            "created": now_column(),
            "records": self.counts,
            "files": archive.files,
            "stripe": reason or "included",
        }


def _list_files(record: Json, fields: Sequence[Json]) -> list[tuple[str, str, bool]]:
    """Return id, file name and whether it is protected, of each file."""
    found = []
    for each in fields:
        value: Any = record.get(each["name"]) or []
        names = [value] if isinstance(value, str) else value
        found += [(record["id"], name, bool(each["protected"])) for name in names]
    return found


async def _read_customer(client: stripe.StripeClient, customer: str) -> Json | None:
    """Return a customer with its payment methods; None if Stripe does not have it any more."""
    path = f"/v1/customers/{quote(customer, safe='')}"
    try:
        found = (await read_object(client, path)).body
        if found.get("deleted"):
            return found
        methods = (await read_object(client, f"{path}/payment_methods?limit=100")).body
    except Missing:
        return None
    return {**found, "payment_methods": methods["data"]}
