"""``gateway backup``: store a backup of PocketBase's data, with files."""

import click

from gateway.cli.connection import PocketBaseConnection, run_without_stripe
from gateway.pocketbase import open_pocketbase_client


@click.command()
@click.argument("name", default="")
def backup(name: str) -> None:
    """Store a backup in PocketBase: on its disk, or in the S3 bucket of its settings.

    NAME has lower-case letters, digits, _ and -, and ends with .zip; by default it is the time.
    PocketBase is read-only meanwhile, and deliveries wait.
    """

    async def command(connection: PocketBaseConnection) -> None:
        async with open_pocketbase_client(connection.settings) as pocketbase:
            await pocketbase.backups.create(name)
            newest = max(await pocketbase.backups.list(), key=lambda each: str(each["modified"]))
        click.echo(newest["key"])

    run_without_stripe(command)
