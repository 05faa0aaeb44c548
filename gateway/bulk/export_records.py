"""Exports a collection into a file that belongs to the job's user."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel

from gateway.bulk.caller import open_caller
from gateway.bulk.columns import Column, choose, read_columns
from gateway.bulk.writers import Format, open_writer
from gateway.ids import record_id
from gateway.jobs.context import JobContext
from gateway.pocketbase.api import FileUpload, PocketBaseClient
from gateway.rows import Json

_PAGE_RECORDS = 500
#: Characters that a file's name does not have.
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
#: Bytes per second that an upload to PocketBase has at least.
_UPLOAD_RATE = 1_000_000
_UPLOAD_SECONDS = 60.0


class Export(BaseModel):
    """A finished export: a record of the collection ``exports``."""

    #: The record's id.
    id: str
    #: The name of its file, in the protected field ``file``.
    file: str
    rows: int


async def export_records(
    job: JobContext,
    collection: str,
    *,
    format: Format = "csv",
    filter: str = "",
    fields: Sequence[str] = (),
    name: str = "",
    as_user: bool = True,
) -> Export:
    """Write records into a file, and store it as a record that the job's user may read.

    It is a step of the job: a later attempt writes the file again if it was not stored, and
    otherwise returns it.

    Args:
        filter: only records that match; with values, use `gateway.filter`.
        fields: the columns in their order; by default all that are not hidden.
        name: of the step and the file, by default the collection's; each export of one job needs
            its own.
        as_user: read as the job's user, so that API rules apply; otherwise as superuser, which
            exports all records, and hidden columns too.

    Raises:
        GiveUp: there is no such column, Parquet is not installed, or the user was deleted.
        NotFound: there is no such collection.
    """
    name = name or collection

    async def write() -> Json:
        caller = await open_caller(job, as_user)
        columns = await read_columns(job.pocketbase, collection, with_hidden=not as_user)
        columns = choose(columns, fields) if fields else columns
        with TemporaryDirectory(prefix="gateway-export-") as folder:
            path = Path(folder) / f"{_UNSAFE.sub('-', name)}.{format}"
            rows = await _write_file(job, caller, collection, filter, columns, format, path)
            values = {"collection": collection, "format": format, "rows": rows}
            return await _store(job, name, path, values)

    return Export.model_validate(await job.step(f"export {name}", write))


async def _write_file(
    job: JobContext,
    caller: PocketBaseClient,
    collection: str,
    filter: str,
    columns: Sequence[Column],
    format: Format,
    path: Path,
) -> int:
    """Write all records; return their number."""
    records = caller.collection(collection)
    total = await records.count(filter)
    writer = await asyncio.to_thread(open_writer, format, path, columns)
    written, page = 0, []
    try:
        async for record in records.iterate(filter=filter, per_page=_PAGE_RECORDS):
            page.append(record)
            if len(page) == _PAGE_RECORDS:
                await asyncio.to_thread(writer.write, page)
                written, page = written + len(page), []
                await job.progress(min(written / max(total, 1), 1), rows=written)
        await asyncio.to_thread(writer.write, page)
    finally:
        await asyncio.to_thread(writer.close)
    return written + len(page)


def _owner_of(job: JobContext) -> str:
    """Return the user's id; "" for a superuser's job, or one of the gateway itself."""
    return "" if "/" in job.user else job.user


async def _store(job: JobContext, name: str, path: Path, values: Json) -> Json:
    """Store the file once; return what `Export` needs."""
    exports = job.pocketbase.collection(job.settings.collection_names.of("exports"))
    id = record_id(f"export\n{job.key}\n{name}")
    stored = await exports.get_or_none(id)
    if stored is None:
        size = (await asyncio.to_thread(path.stat)).st_size
        seconds = _UPLOAD_SECONDS + size / _UPLOAD_RATE
        record = {"id": id, "user": _owner_of(job), **values, "file": FileUpload(path)}
        stored = await exports.create(record, timeout=seconds)
    return {"id": id, "file": stored["file"], "rows": stored["rows"]}
