"""Runs the transform of a collection on all of its records: after its code has changed."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from gateway.bulk.transformed_write import RowRefused, write_transformed
from gateway.jobs.context import JobContext
from gateway.pocketbase import PocketBase
from gateway.pocketbase.api import PocketBaseClient
from gateway.rows import Json

#: Records that are transformed at once.
_CONCURRENCY = 8
_PAGE_RECORDS = 100
#: Records whose errors the report lists.
MAX_ERRORS = 100
#: Members of a record that are not stored.
_META = ("collectionId", "collectionName", "expand")


class RunInput(BaseModel):
    """Which records of which collection."""

    collection: str
    filter: str = ""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of the transform for one record."""

    id: str
    #: (before, after) by field; empty if nothing changes.
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    #: Why the record can't be written, by PocketBase's or the transform's words; None if it can.
    error: Json | None = None


class TransformRun:
    """The transform of one collection, applied to stored records."""

    def __init__(self, pocketbase: PocketBase, collection: str, automatic: Iterable[str]) -> None:
        """Args: automatic: fields that each write sets, such as ``updated``."""
        self._pocketbase = pocketbase
        self._collection = collection
        self._ignored = frozenset((*automatic, *_META))
        self._slots = asyncio.Semaphore(_CONCURRENCY)

    @classmethod
    async def open(
        cls, pocketbase: PocketBase, records: PocketBaseClient, collection: str
    ) -> "TransformRun":
        """Read the collection's fields.

        Raises:
            NotFound: there is no such collection.
        """
        fields = (await records.collections.get(collection))["fields"]
        automatic = [each["name"] for each in fields if each["type"] == "autodate"]
        return cls(pocketbase, collection, automatic)

    async def run_all(self, page: Iterable[Json], *, dry_run: bool) -> list[RecordResult]:
        """Return the results of records, in order; write those that change, unless it is a dry run.

        Raises:
            PocketBaseUnavailable: PocketBase or the transform's gateway did not answer.
        """
        return list(await asyncio.gather(*(self._run(record, dry_run) for record in page)))

    async def _run(self, record: Json, dry_run: bool) -> RecordResult:
        async with self._slots:
            try:
                # Written only if something changes: a write sets dates and is published.
                after = await self._write(record, dry_run=True)
                changes = self._compare(record, after)
                if changes and not dry_run:
                    after = await self._write(record, dry_run=False)
                    changes = self._compare(record, after)
            except RowRefused as refused:
                if refused.status == 404:
                    # Deleted in the meantime.
                    return RecordResult(record["id"])
                error = {"message": refused.message, "data": refused.data}
                return RecordResult(record["id"], error=error)
        return RecordResult(record["id"], changes)

    async def _write(self, record: Json, *, dry_run: bool) -> Json:
        return await write_transformed(
            self._pocketbase, self._collection, record["id"], dry_run=dry_run
        )

    def _compare(self, before: Json, after: Json) -> dict[str, tuple[Any, Any]]:
        return {
            name: (before.get(name), value)
            for name, value in after.items()
            if name not in self._ignored and before.get(name) != value
        }


async def run_transform(input: RunInput, job: JobContext, pocketbase: PocketBase) -> Json:
    """Run the transform on all records that match, page by page; return counts and errors."""
    run = await TransformRun.open(pocketbase, job.pocketbase, input.collection)
    records = job.pocketbase.collection(input.collection)
    total = await job.step("count", records.count, input.filter)
    counts = job.memory
    for name in ("records", "changed", "failed"):
        counts.setdefault(name, 0)
    errors: list[Json] = counts.setdefault("errors", [])
    async for page in job.pages(input.collection, filter=input.filter, size=_PAGE_RECORDS):
        results = await run.run_all(page, dry_run=False)
        counts["records"] += len(results)
        counts["changed"] += sum(bool(each.changes) for each in results)
        counts["failed"] += sum(each.error is not None for each in results)
        failed = ({"id": each.id, **each.error} for each in results if each.error)
        errors += list(failed)[: MAX_ERRORS - len(errors)]
        numbers = {name: counts[name] for name in ("records", "changed", "failed")}
        await job.progress(min(counts["records"] / max(total, 1), 1), **numbers)
    return dict(counts)
