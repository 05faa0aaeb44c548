"""``gateway transforms run``: run a transform again on all records of its collection."""

import asyncio
import time
from typing import Any

import click

from gateway.bulk.builtin_jobs import build_transform_job
from gateway.bulk.run_transform import RecordResult, RunInput, TransformRun
from gateway.cli.command_app import load_command_app
from gateway.cli.connection import PocketBaseConnection, fail, run_without_stripe
from gateway.jobs.jobs import Jobs
from gateway.jobs.row import JobRow
from gateway.json_codec import dump_text
from gateway.pocketbase import open_pocketbase_client
from gateway.pocketbase.api import PocketBaseClient
from gateway.start_error import StartError
from gateway.work import WorkQueue

#: Not the id of a record: no user may read the job.
_OWNER = "gateway"
_POLL_SECONDS = 0.5
#: Seconds after which a job that no process has taken is reported.
_PATIENCE_SECONDS = 10.0
_PAGE_RECORDS = 100


@click.command("run")
@click.argument("collection")
@click.option("--filter", default="", help="Only records that match PocketBase's filter.")
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.option("--detach", is_flag=True, help="Don't wait for the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def run_transforms(
    collection: str, filter: str, dry_run: bool, detach: bool, as_json: bool
) -> None:
    """Run the transform of COLLECTION again on its records, after its code has changed.

    The work is done by the running gateways, with their version of the transform; a job writes the
    records that change. It continues after a crash, `gateway work cancel ID` ends it. Needs a
    transform for updates.
    """
    _require_transform(collection)

    async def command(connection: PocketBaseConnection) -> None:
        async with open_pocketbase_client(connection.settings) as records:
            if dry_run:
                await _show_changes(connection, records, collection, filter, as_json)
            else:
                await _run_job(connection, collection, filter, detach, as_json)

    run_without_stripe(command)


def _require_transform(collection: str) -> None:
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    from gateway.app.declarations import Declarations
    from gateway.app.loader import PlainGateway, describe_missing_app
    from gateway.transforms.table import Table

    try:
        app = load_command_app()
        declared = app.collect_declarations() or Declarations()
        table = Table.of(declared.transforms).index()
    except StartError as error:
        fail(str(error))
    if isinstance(app, PlainGateway):
        fail(describe_missing_app())
    if (collection, "update") not in table:
        fail(f"{collection} has no transform for updates.")


async def _show_changes(
    connection: PocketBaseConnection,
    records: PocketBaseClient,
    collection: str,
    filter: str,
    as_json: bool,
) -> None:
    run = await TransformRun.open(connection.pocketbase, records, collection)
    counts = {"records": 0, "changed": 0, "failed": 0}
    page: list[dict[str, Any]] = []

    async def finish_page() -> None:
        for result in await run.run_all(page, dry_run=True):
            counts["records"] += 1
            counts["changed"] += bool(result.changes)
            counts["failed"] += result.error is not None
            if result.changes or result.error:
                click.echo(_format(collection, result, as_json))
        page.clear()

    async for record in records.collection(collection).iterate(filter=filter):
        page.append(record)
        if len(page) == _PAGE_RECORDS:
            await finish_page()
    await finish_page()
    click.echo(_format_counts(counts, "would change"), err=True)
    if counts["failed"]:
        fail("Some records would be refused.")


def _format(collection: str, result: RecordResult, as_json: bool) -> str:
    if as_json:
        changes = {name: {"before": a, "after": b} for name, (a, b) in result.changes.items()}
        return dump_text({"id": result.id, "changes": changes, "error": result.error})
    lines = [f"{collection}/{result.id}"]
    for name, (before, after) in result.changes.items():
        lines += [f"  - {name}: {dump_text(before)}", f"  + {name}: {dump_text(after)}"]
    if result.error:
        lines += [f"  ! {result.error['message']}"]
        lines += [f"  ! {name}: {_message(each)}" for name, each in result.error["data"].items()]
    return "\n".join(lines)


def _message(error: Any) -> str:
    return str(error.get("message", "")) if isinstance(error, dict) else str(error)


async def _run_job(
    connection: PocketBaseConnection, collection: str, filter: str, detach: bool, as_json: bool
) -> None:
    job = build_transform_job(connection.pocketbase)
    jobs = Jobs(connection.pocketbase, WorkQueue(connection.pocketbase), {job.name: job})
    row = await jobs.start(job.name, RunInput(collection=collection, filter=filter), user=_OWNER)
    click.echo(f"job {row.id}", err=True)
    if detach:
        return
    try:
        row = await _follow(jobs, row)
    except asyncio.CancelledError:
        click.echo(f"The job goes on; `gateway work cancel {row.id}` ends it.", err=True)
        raise
    if row.status != "done":
        fail(f"The job is {row.status}: `gateway work show {row.id}` has the reason.")
    for error in row.result["errors"]:
        click.echo(_format(collection, _read_error(error), as_json))
    click.echo(_format_counts(row.result, "changed"), err=True)
    if row.result["failed"]:
        fail("Some records were refused.")


def _read_error(error: dict[str, Any]) -> RecordResult:
    return RecordResult(error["id"], error={"message": error["message"], "data": error["data"]})


async def _follow(jobs: Jobs, row: JobRow) -> JobRow:
    """Print progress until the job has ended."""
    began = time.monotonic()
    shown: Any = None
    is_reported = False
    while not row.is_finished:
        await asyncio.sleep(_POLL_SECONDS)
        row = await jobs.read(row.id)
        if row.progress and row.progress != shown:
            shown = row.progress
            click.echo(_format_counts(shown, "changed"), err=True)
        is_late = not row.attempts and time.monotonic() - began > _PATIENCE_SECONDS
        if is_late and not is_reported:
            is_reported = True
            click.echo("No gateway has taken the job yet: is one running?", err=True)
    return row


def _format_counts(counts: dict[str, Any], verb: str) -> str:
    return f"{counts['records']} records: {counts['changed']} {verb}, {counts['failed']} refused"
