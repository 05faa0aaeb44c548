"""``gateway notifications``: look at the outbox, and send again what failed."""

import click

from gateway.cli.connection import PocketBaseConnection, fail, run_without_stripe
from gateway.json_codec import dump_text
from gateway.notifications.outbox import STATUSES, Outbox
from gateway.rows import Json


@click.group()
def notifications() -> None:
    """Mails and handlers: what waits, what was sent, what failed.

    What stays `sending` was broken off, and may or may not have been sent.
    """


@notifications.command("list")
@click.option("--status", default="", type=click.Choice(["", *STATUSES]), help="Only these.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(status: str, limit: int, as_json: bool) -> None:
    """List notifications, newest first."""

    async def command(connection: PocketBaseConnection) -> None:
        for row in await Outbox(connection.pocketbase).list(status, limit):
            click.echo(dump_text(row) if as_json else _line(row))

    run_without_stripe(command)


@notifications.command()
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--failed", is_flag=True, help="All that failed.")
def retry(ids: tuple[str, ...], failed: bool) -> None:
    """Let these be sent again, by the gateways that are running.

    Also one that is `sending` since more than five minutes; if it was sent after all, it is sent
    twice.
    """
    if bool(ids) == failed:
        fail("Give ids of notifications, or --failed, not both.")

    async def command(connection: PocketBaseConnection) -> None:
        hours = connection.settings.gateway_notification_max_age_hours
        retried = await Outbox(connection.pocketbase).retry(ids, hours)
        click.echo(f"{retried} to be sent again")
        if retried < len(ids):
            fail("The others are unknown, sent, waiting, or under way right now.")

    run_without_stripe(command)


def _line(row: Json) -> str:
    line = f"{row['created'][:19]}  {row['id']}  {row['status']:8}  {row['kind']}  {row['channel']}"
    return f"{line}  {row['event']}  {row['reason']}".rstrip()
