"""``gateway notifications``: list the outbox, and retry failed entries."""

import click

from gateway.cli.connection import PocketBaseConnection, fail, run_without_stripe
from gateway.json_codec import dump_text
from gateway.notifications.outbox import STATUSES, Outbox
from gateway.rows import Json


@click.group()
def notifications() -> None:
    """The outbox: mails and handler calls that are waiting, sent or failed.

    An entry that stays `sending` was interrupted, and may or may not have been sent.
    """


@notifications.command("list")
@click.option("--status", default="", type=click.Choice(["", *STATUSES]), help="Only this status.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_(status: str, limit: int, as_json: bool) -> None:
    """List notifications, newest first."""

    async def command(connection: PocketBaseConnection) -> None:
        for row in await Outbox(connection.pocketbase).list(status, limit):
            click.echo(dump_text(row) if as_json else _line(row))

    run_without_stripe(command)


@notifications.command()
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--failed", is_flag=True, help="All failed entries.")
def retry(ids: tuple[str, ...], failed: bool) -> None:
    """Set entries to `waiting`, so that a running gateway sends them again.

    Also entries that have been `sending` for more than five minutes; if one was sent after all, it
    is sent twice.
    """
    if bool(ids) == failed:
        fail("Give ids of notifications, or --failed, but not both.")

    async def command(connection: PocketBaseConnection) -> None:
        hours = connection.settings.gateway_notification_max_age_hours
        retried = await Outbox(connection.pocketbase).retry(ids, hours)
        click.echo(f"{retried} to be sent again")
        if retried < len(ids):
            fail("The others are unknown, sent, waiting, or being sent.")

    run_without_stripe(command)


def _line(row: Json) -> str:
    line = f"{row['created'][:19]}  {row['id']}  {row['status']:8}  {row['kind']}  {row['channel']}"
    return f"{line}  {row['event']}  {row['reason']}".rstrip()
