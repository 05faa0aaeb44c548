"""Finds records by any of their texts.

PocketBase logs the addresses of requests, and a filter is part of them: a personal value must only
be in a body.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from gateway.pocketbase import PocketBase, filter
from gateway.pocketbase.api import PocketBaseClient
from gateway.pocketbase.contracts.privacy import FIND_TEXTS, FindRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json

_PAGE_RECORDS = 100


@dataclass(frozen=True, slots=True)
class Search:
    """Reads as the superuser."""

    pocketbase: PocketBase
    records: PocketBaseClient

    async def find_ids(self, name: str, texts: Sequence[str]) -> list[str]:
        """Return the ids of records that contain one of the texts in any column, ignoring case.

        Args:
            name: the collection's name.
        """
        found: list[str] = []
        after = 0
        while texts:
            request = FindRequest(
                collection=name, after=after, limit=_PAGE_RECORDS, texts=tuple(texts)
            )
            answer = await call_hook(self.pocketbase, FIND_TEXTS, request)
            found += answer.ids
            after = answer.next
            if not after:
                break
        return found

    async def read(self, name: str, ids: Sequence[str]) -> AsyncIterator[Json]:
        """Yield the records of a collection by their ids.

        Args:
            name: the collection's name.
        """
        records = self.records.collection(name)
        for start in range(0, len(ids), _PAGE_RECORDS):
            terms = [filter("id = {:id}", id=id) for id in ids[start : start + _PAGE_RECORDS]]
            async for record in records.iterate(filter=" || ".join(terms)):
                yield record

    async def find(self, key: str, text: str, column: str) -> list[Json]:
        """Return the records of one of the gateway's collections with a text in a column."""
        name = self.pocketbase.collection_names.of(key)
        found = [record async for record in self.read(name, await self.find_ids(name, [text]))]
        return [each for each in found if text in str(each[column]).lower()]
