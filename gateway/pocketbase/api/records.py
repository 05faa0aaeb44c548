"""Records of one collection: read, list, write."""

import builtins
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.pocketbase.api.bodies import Body, write_body
from gateway.pocketbase.api.caller import Caller, check_list, check_object
from gateway.pocketbase.api.errors import (
    BatchFailed,
    InvalidAnswer,
    NotFound,
    ValidationFailed,
    read_batch_error,
)
from gateway.pocketbase.api.models import read_record
from gateway.pocketbase.api.paths import Names, Query, build_path, join_names
from gateway.pocketbase.filters import filter as build_filter

T = TypeVar("T")

#: PocketBase's limit.
MAX_PER_PAGE = 1000
_PAGE_RECORDS = 30
_FULL_PAGE_RECORDS = 500
_MAX_FULL_LIST_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, with the total number of matches."""

    items: list[T]
    #: From 1.
    page: int
    per_page: int
    #: -1 with ``skip_total``.
    total_items: int
    #: -1 with ``skip_total``.
    total_pages: int


class Records(Generic[T]):
    """Reads and writes the records of one collection, under the caller's API rules.

    Every method raises a `PocketBaseError`: `NotFound`, `Forbidden`, `Unauthenticated`,
    `ValidationFailed`, `RateLimited`, or `Unavailable`. With a model, a record that does not fit it
    is an `InvalidRecord`.
    """

    def __init__(self, caller: Caller, name: str, model: type[T] | None) -> None:
        self._caller = caller
        self.name = name
        self._model = model

    async def get(self, id: str, *, expand: Names | None = None, fields: Names | None = None) -> T:
        """Return one record.

        Args:
            expand: relations whose records come along, in ``record["expand"]``.
            fields: members to return, by default all.

        Raises:
            NotFound: it does not exist, or the caller may not see it.
        """
        path = self._path(id)
        return self._read(await self._caller.call("GET", path, query=_select(expand, fields)))

    async def get_or_none(
        self, id: str, *, expand: Names | None = None, fields: Names | None = None
    ) -> T | None:
        """Return one record, None where `get` raises NotFound."""
        try:
            return await self.get(id, expand=expand, fields=fields)
        except NotFound:
            return None

    async def first(
        self,
        filter: str = "",
        *,
        sort: Names | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
    ) -> T:
        """Return the first record that matches; see `list`.

        Raises:
            NotFound: no record matches.
        """
        found = await self.first_or_none(filter, sort=sort, expand=expand, fields=fields)
        if found is None:
            raise NotFound(f"No record of {self.name} matches.")
        return found

    async def first_or_none(
        self,
        filter: str = "",
        *,
        sort: Names | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
    ) -> T | None:
        """Return the first record that matches, None if there is none; see `list`."""
        page = await self.list(
            per_page=1, filter=filter, sort=sort, expand=expand, fields=fields, skip_total=True
        )
        return page.items[0] if page.items else None

    async def list(
        self,
        page: int = 1,
        per_page: int = _PAGE_RECORDS,
        *,
        filter: str = "",
        sort: Names | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
        skip_total: bool = False,
    ) -> Page[T]:
        """Return one page of the records that the caller may list.

        Args:
            page: from 1.
            per_page: from 1 to 1000.
            filter: by `gateway.filter` where it has values: ``filter("slug = {:s}", s=slug)``.
            sort: fields, descending with ``-``: ``"-created"``. Without it the order is not fixed.
            expand: relations whose records come along, in ``record["expand"]``.
            fields: members to return, by default all.
            skip_total: don't count all matches, which is faster.

        Raises:
            ValueError: page or per_page is out of range; PocketBase would change it.
        """
        if page < 1 or not 1 <= per_page <= MAX_PER_PAGE:
            raise ValueError(f"page starts at 1, and per_page is from 1 to {MAX_PER_PAGE}")
        query: Query = {
            "page": page,
            "perPage": per_page,
            "filter": filter or None,
            "sort": join_names(sort),
            "skipTotal": skip_total or None,
            **_select(expand, fields),
        }
        return self._read_page(await self._caller.get_object(self._path(), query=query))

    async def count(self, filter: str = "") -> int:
        """Return how many records match that the caller may list."""
        query: Query = {"perPage": 1, "fields": "id", "filter": filter or None}
        answer = await self._caller.get_object(self._path(), query=query)
        return int(answer["totalItems"])

    async def iterate(
        self,
        *,
        filter: str = "",
        sort: Names | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
        per_page: int = _FULL_PAGE_RECORDS,
        limit: int | None = None,
    ) -> AsyncIterator[T]:
        """Yield every record that matches; only one page is in memory.

        Without ``sort`` the order is by id, and each page starts after the last id: records that
        are created or deleted meanwhile make none appear twice or be left out. With ``sort`` they
        can, as with page numbers everywhere.

        Args:
            per_page: from 1 to 1000.
            limit: yield no more than this.
        """
        selected = join_names(fields)
        by_id = sort is None and (selected is None or "id" in selected.split(","))
        last, page, left = "", 1, limit
        while left is None or left > 0:
            # By page numbers, the size decides where the next page begins: keep it.
            size = min(per_page, left) if by_id and left is not None else per_page
            query: Query = {
                "page": 1 if by_id else page,
                "perPage": size,
                "filter": _after(filter, last) or None,
                "sort": "id" if sort is None else join_names(sort),
                "skipTotal": True,
                **_select(expand, selected),
            }
            answer = await self._caller.get_object(self._path(), query=query)
            items = check_list(answer.get("items"))
            for item in items[:left]:
                yield self._read(item)
            if len(items) < size:
                return
            left = None if left is None else left - len(items)
            page += 1
            last = str(items[-1]["id"]) if by_id else ""

    async def full_list(
        self,
        *,
        filter: str = "",
        sort: Names | None = None,
        expand: Names | None = None,
        fields: Names | None = None,
        limit: int = _MAX_FULL_LIST_RECORDS,
    ) -> builtins.list[T]:
        """Return every record that matches, from as many requests as needed; see `iterate`.

        Raises:
            ValueError: there are more than ``limit``; a part would look like all of them.
        """
        found: builtins.list[T] = []
        async for record in self.iterate(
            filter=filter, sort=sort, expand=expand, fields=fields, limit=limit + 1
        ):
            found.append(record)
        if len(found) > limit:
            raise ValueError(f"{self.name} has more than {limit} such records: use iterate()")
        return found

    async def create(
        self,
        body: Body,
        *,
        expand: Names | None = None,
        fields: Names | None = None,
        timeout: float | None = None,
    ) -> T:
        """Create a record and return it.

        Args:
            body: by field; `File` values are uploaded. Of a model, all fields are sent but what
                PocketBase sets itself.
            timeout: seconds; give more for large files.

        Raises:
            ValidationFailed: ``fields`` has the errors by field.
        """
        payload = write_body(body)
        query = _select(expand, fields)
        return self._read(
            await self._caller.call(
                "POST", self._path(), query=query, payload=payload, timeout=timeout
            )
        )

    async def update(
        self,
        id: str,
        body: Body,
        *,
        expand: Names | None = None,
        fields: Names | None = None,
        timeout: float | None = None,
    ) -> T:
        """Change fields of a record and return it.

        Args:
            body: by field, or with a modifier: ``"score+": 1`` adds, ``"tags+"`` appends,
                ``"+tags"`` prepends, ``"tags-"`` removes. Of a model, only fields that were set.
            timeout: seconds; give more for large files.

        Raises:
            NotFound: it does not exist, or the caller may not change it.
            ValidationFailed: ``fields`` has the errors by field.
        """
        payload = write_body(body, partial=True)
        query = _select(expand, fields)
        return self._read(
            await self._caller.call(
                "PATCH", self._path(id), query=query, payload=payload, timeout=timeout
            )
        )

    async def upsert(self, body: Body) -> T:
        """Create the record, or update the one with its id, in one transaction.

        Uses PocketBase's batch API, which has to be on in its settings.

        Raises:
            ValueError: the body has no id.
            ValidationFailed: ``fields`` has the errors by field.
        """
        payload = write_body(body)
        if not payload.values.get("id"):
            raise ValueError("upsert() needs the record's id")
        files = tuple((f"requests.0.{field}", file) for field, file in payload.files)
        request = {"method": "PUT", "url": self._path(), "body": payload.values}
        try:
            answer = await self._caller.call(
                "POST",
                build_path("batch"),
                payload=type(payload)({"requests": [request]}, files),
            )
        except ValidationFailed as error:
            raise _unwrap(read_batch_error(error)) from error
        results = check_list(answer)
        return self._read(check_object(results[0])["body"])

    async def delete(self, id: str) -> None:
        """Delete a record.

        Raises:
            NotFound: it does not exist, or the caller may not delete it.
            ValidationFailed: a required relation refers to it.
        """
        await self._caller.call("DELETE", self._path(id))

    def _path(self, *segments: str) -> str:
        return build_path("collections", self.name, "records", *segments)

    def _read(self, value: Any) -> T:
        return read_record(self._model, value, self.name)

    def _read_page(self, answer: dict[str, Any]) -> Page[T]:
        try:
            return Page(
                [self._read(item) for item in check_list(answer["items"])],
                int(answer["page"]),
                int(answer["perPage"]),
                int(answer["totalItems"]),
                int(answer["totalPages"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidAnswer("PocketBase's answer is not a list of records.") from error


def _select(expand: Names | None, fields: Names | None) -> Query:
    return {"expand": join_names(expand), "fields": join_names(fields)}


def _after(filter: str, last: str) -> str:
    if not last:
        return filter
    rest = build_filter("id > {:last}", last=last)
    return f"({filter}) && {rest}" if filter else rest


def _unwrap(error: BatchFailed) -> Exception:
    return error.reason or error
