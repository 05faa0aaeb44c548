"""``gateway users``: export and delete everything that is stored about a person."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from gateway.cli.connection import Connection, fail, run
from gateway.mirror.locks import ObjectLocks
from gateway.mirror.refresh import Refresher
from gateway.pocketbase import open_pocketbase_client
from gateway.privacy.archive import Archive
from gateway.privacy.deletion import Deletion, DeletionReport
from gateway.privacy.export import PersonExport
from gateway.privacy.person import DataSubject, PersonFinder
from gateway.privacy.search import Search

_ARGUMENT = "EMAIL|ID"
_STDOUT = Path("-")


@click.group()
def users() -> None:
    """Personal data of users and guests (docs/personal-data.md)."""


@users.command()
@click.argument("person", metavar=_ARGUMENT)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="By default user-ID.zip; - for standard output, as under compose.",
)
def export(person: str, output: Path | None) -> None:
    """Write all stored data of a user into a zip file.

    JSON documents and files; without secrets, and with the addresses of other people masked. An
    address also finds the purchases of a guest.
    """

    async def command(connection: Connection) -> None:
        async with _open(connection) as search:
            found = await _find(search, person)
            path = output or Path(f"user-{found.user or 'guest'}.zip")
            stream = sys.stdout.buffer if path == _STDOUT else None
            if stream and stream.isatty():
                fail("--output - writes a zip: redirect it to a file.")
            if path.exists():
                fail(f"{path} exists: choose another --output.")
            settings = connection.settings
            export = PersonExport(
                search,
                connection.client,
                settings.collection_names,
                settings.gateway_email_columns,
            )
            with Archive(path, stream) as archive:
                await export.write(found, archive)
            for name, count in export.counts.items():
                click.echo(f"{name}  {count}", err=stream is not None)
            if stream is None:
                click.echo(path)

    run(command)


@users.command()
@click.argument("person", metavar=_ARGUMENT)
@click.option("--dry-run", is_flag=True, help="Only print the number of records to delete.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--hand-over",
    is_flag=True,
    help="Promote the oldest admin or member of organizations that lose their last owner.",
)
@click.option(
    "--vacuum",
    is_flag=True,
    help="Rewrite PocketBase's file afterwards, without remains; it can't write meanwhile.",
)
def delete(person: str, dry_run: bool, yes: bool, hand_over: bool, vacuum: bool) -> None:
    """Delete a user, the Stripe customers, and personal data in all stored rows.

    Subscriptions end at once. Invoices and payments stay without personal data. The command can be
    repeated, and continues after an interruption. An address also deletes the data of a guest.
    """

    async def command(connection: Connection) -> None:
        async with _open(connection) as search:
            found = await _find(search, person)
            deletion = _build_deletion(connection, search)
            await deletion.check(found, hand_over=hand_over)
            _print_person(found, await deletion.describe(found))
            if dry_run:
                return
            if not yes:
                click.confirm("Delete all of this? It can't be undone", abort=True, err=True)
            _print_report(await deletion.run(found, vacuum=vacuum))

    run(command)


@asynccontextmanager
async def _open(connection: Connection) -> AsyncIterator[Search]:
    session = connection.pocketbase.session
    async with open_pocketbase_client(connection.settings, session) as records:
        yield Search(connection.pocketbase, records)


async def _find(search: Search, text: str) -> DataSubject:
    """Return the person, or end the command if nothing is stored."""
    found = await PersonFinder(search, search.pocketbase.collection_names).find(text)
    if not found.is_known:
        click.echo(f"There is no user, customer or purchase of {text}.")
        raise SystemExit(0)
    return found


def _build_deletion(connection: Connection, search: Search) -> Deletion:
    pocketbase, client, settings = connection.pocketbase, connection.client, connection.settings
    return Deletion(
        search,
        client,
        Refresher(pocketbase, client, ObjectLocks()).apply,
        settings.collection_names,
        settings.gateway_email_columns,
    )


def _print_person(found: DataSubject, records: dict[str, int]) -> None:
    if found.user:
        click.echo(f"user {found.user}{'' if found.account else '  (deleted before)'}")
    for each in found.customers:
        click.echo(f"customer {each.id}")
    for id in found.objects:
        click.echo(f"purchase {id}")
    for id in found.owned:
        click.echo(f"organization {id}  gets another owner")
    for name, count in records.items():
        click.echo(f"{name}  {count} records")


def _print_report(report: DeletionReport) -> None:
    for name, count in report.erased.items():
        click.echo(f"erased  {name}  {count}")
    if report.log_lines:
        click.echo(f"erased  PocketBase's log  {report.log_lines}")
    for name, count in report.left.items():
        click.echo(
            f"{name}: {count} records contain the address; see docs/personal-data.md.", err=True
        )
    click.echo("Deleted.")
