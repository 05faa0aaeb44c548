"""Imports a file into a collection: each row is written or has its error."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from pydantic import BaseModel

from gateway.bulk.caller import open_caller
from gateway.bulk.columns import read_columns
from gateway.bulk.readers import FieldErrors, InputFormat, InputRow, read_rows
from gateway.ids import record_id
from gateway.jobs.context import JobContext
from gateway.pocketbase.api import (
    Collection,
    NotFound,
    PocketBaseClient,
    PocketBaseError,
    RateLimited,
    Unavailable,
    ValidationFailed,
)
from gateway.rows import Json
from gateway.work import GiveUp

#: Rows that are written before the progress is stored; a crash repeats at most these.
_CHUNK_ROWS = 50
#: Rows that are written at once.
_CONCURRENCY = 8
#: The errors that are kept: rows, and bytes as JSON.
MAX_ERRORS = 1000
_MAX_ERROR_BYTES = 200_000
_MAX_MESSAGE_CHARACTERS = 200
_FAILED_TRANSFORM = 500

Mode = Literal["create", "upsert"]


class RowError(BaseModel):
    """Why a row was not written."""

    #: Its first line in the file, from 1.
    line: int
    message: str
    #: By column: ``{code, message}``, as PocketBase has it.
    errors: FieldErrors


class Import(BaseModel):
    """The counts of a finished import."""

    created: int
    updated: int
    failed: int
    #: The first thousand, as far as they have less than 200 kB.
    errors: list[RowError]


async def import_records(
    job: JobContext,
    collection: str,
    source: tuple[str, str, str],
    *,
    format: InputFormat = "csv",
    mode: Mode = "create",
    name: str = "",
    as_user: bool = True,
) -> Import:
    """Write the rows of a stored file as records, one by one.

    A row that is refused does not stop the others. After a crash the import continues; no record is
    created twice.

    Args:
        source: collection, id and file field of the record that has the file.
        mode: "upsert" updates records whose id is in the file, if they exist.
        name: of this import, by default the collection's; each import of one job needs its own.
        as_user: read the file and write as the job's user, so that API rules and transforms apply;
            otherwise as superuser, without both.

    Raises:
        GiveUp: the file can't be read, or its header has a column that does not exist.
    """
    caller = await open_caller(job, as_user)
    columns = await read_columns(job.pocketbase, collection, with_hidden=not as_user)
    run = _Import(job, name or collection, caller.collection(collection), mode)
    with TemporaryDirectory(prefix="gateway-import-") as folder:
        path = Path(folder) / "rows"
        await _fetch(caller, source, path)
        rows = read_rows(path, format, columns)
        while chunk := await asyncio.to_thread(lambda: list(islice(rows, _CHUNK_ROWS))):
            await run.write_all(chunk)
    return run.result


async def _fetch(caller: PocketBaseClient, source: tuple[str, str, str], path: Path) -> None:
    collection, id, field = source
    files = caller.collection(collection)
    try:
        record = await files.get(id)
    except NotFound:
        raise GiveUp("There is no such file.") from None
    stored = record.get(field)
    file = stored[0] if isinstance(stored, list) and stored else stored
    if not isinstance(file, str) or not file:
        raise GiveUp("The record has no file.")
    await files.save_file(id, file, path, protected=True)


class _Import:
    """One import, with its counts in the job's memory."""

    def __init__(self, job: JobContext, name: str, records: Collection[Json], mode: Mode) -> None:
        self._job = job
        self._name = name
        self._records = records
        self._mode = mode
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        start: Json = {"line": 0, "created": 0, "updated": 0, "failed": 0, "errors": [], "bytes": 0}
        self._memory: Json = job.memory.setdefault(f"import {name}", start)

    @property
    def result(self) -> Import:
        """The counts so far."""
        return Import.model_validate(self._memory)

    async def write_all(self, rows: list[InputRow]) -> None:
        """Write rows that are not written yet, and store the counts."""
        left = [row for row in rows if row.line > self._memory["line"]]
        if not left:
            return
        outcomes = await asyncio.gather(*(self._write(row) for row in left))
        for row, outcome in zip(left, outcomes, strict=True):
            if isinstance(outcome, RowError):
                self._add_error(outcome)
            else:
                self._memory[outcome] += 1
            self._memory["line"] = row.line
        counts = {name: self._memory[name] for name in ("created", "updated", "failed")}
        await self._job.progress(None, **counts)
        await self._job.save()

    def _add_error(self, error: RowError) -> None:
        self._memory["failed"] += 1
        errors = self._memory["errors"]
        size = len(error.model_dump_json())
        if len(errors) < MAX_ERRORS and self._memory["bytes"] + size < _MAX_ERROR_BYTES:
            errors.append(error.model_dump())
            self._memory["bytes"] += size

    async def _write(self, row: InputRow) -> Literal["created", "updated"] | RowError:
        if row.errors:
            return _describe(row, "The row can't be read.", row.errors)
        async with self._slots:
            try:
                return await self._write_record(row)
            except RateLimited:
                raise
            except Unavailable as error:
                if error.upstream_status != _FAILED_TRANSFORM:
                    raise
                return _describe(row, error.message, {})
            except PocketBaseError as error:
                return _describe(row, error.message, error.data)

    async def _write_record(self, row: InputRow) -> Literal["created", "updated"]:
        id = str(row.values.get("id") or "")
        if id and self._mode == "upsert":
            try:
                await self._records.update(id, row.values)
            except NotFound:
                pass
            else:
                return "updated"
        await self._create(row, id)
        return "created"

    async def _create(self, row: InputRow, id: str) -> None:
        """Create a record with an id made from its row, so that a repeated row is recognized."""
        own = id or record_id(f"import\n{self._job.key}\n{self._name}\n{row.line}")
        try:
            await self._records.create({**row.values, "id": own})
        except ValidationFailed:
            if id or not await self._is_stored(own):
                raise

    async def _is_stored(self, id: str) -> bool:
        """Return whether an earlier attempt created this record."""
        if self._job.attempt == 1:
            return False
        records = self._job.pocketbase.collection(self._records.name)
        return await records.get_or_none(id, fields="id") is not None


def _describe(row: InputRow, message: str, errors: Any) -> RowError:
    found = {
        name: {
            "code": str(each.get("code", "")),
            "message": str(each.get("message", ""))[:_MAX_MESSAGE_CHARACTERS],
        }
        for name, each in _items(errors)
    }
    return RowError(line=row.line, message=message[:_MAX_MESSAGE_CHARACTERS], errors=found)


def _items(errors: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    pairs: Iterable[tuple[str, Any]] = errors.items() if isinstance(errors, dict) else ()
    return ((name, each) for name, each in pairs if isinstance(each, dict))
