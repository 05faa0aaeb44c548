"""``gateway work``: list background work, retry and cancel items, pause handlers."""

import click

from gateway.cli.connection import PocketBaseConnection, fail, run_without_stripe
from gateway.json_codec import dump_text
from gateway.rows import Json
from gateway.work.queue import STATUSES, WorkQueue


@click.group()
def work() -> None:
    """Background work: mails, calls of handlers, jobs, schedules (docs/work.md).

    Parked items failed as often as they may, or may have been done: they wait for `retry` or
    `cancel`.
    """


@work.command("list")
@click.option("--status", default="", type=click.Choice(["", *STATUSES]), help="Only this status.")
@click.option("--handler", default="", help="Only items of this handler.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_(status: str, handler: str, limit: int, as_json: bool) -> None:
    """List items, newest first; paused handlers to standard error."""

    async def command(connection: PocketBaseConnection) -> None:
        queue = WorkQueue(connection.pocketbase)
        for row in await queue.list(status, handler, limit):
            click.echo(dump_text(row) if as_json else _line(row))
        if paused := (await queue.status()).paused:
            click.echo(f"Paused: {', '.join(paused)}", err=True)

    run_without_stripe(command)


@work.command()
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(id: str, as_json: bool) -> None:
    """Show one item with its payload, state and result."""

    async def command(connection: PocketBaseConnection) -> None:
        row = await WorkQueue(connection.pocketbase).find(id)
        if row is None:
            fail(f"There is no item {id}.")
        if as_json:
            click.echo(dump_text(row))
            return
        for name, value in row.items():
            if value not in ("", None, 0, False) and not name.startswith("collection"):
                click.echo(f"{name}: {value if isinstance(value, str) else dump_text(value)}")

    run_without_stripe(command)


@work.command()
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--parked", is_flag=True, help="All parked items.")
@click.option("--handler", default="", help="With --parked: only items of this handler.")
def retry(ids: tuple[str, ...], parked: bool, handler: str) -> None:
    """Make items due now, with all their tries: waiting, parked or cancelled ones.

    An item that may have been done is then done twice.
    """
    if bool(ids) == parked:
        fail("Give ids of items, or --parked, but not both.")
    if handler and not parked:
        fail("--handler needs --parked.")

    async def command(connection: PocketBaseConnection) -> None:
        changed = await WorkQueue(connection.pocketbase).retry(ids, handler)
        click.echo(f"{changed} to be done again")
        if changed < len(set(ids)):
            fail("The others are unknown, running or done.")

    run_without_stripe(command)


@work.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
def cancel(ids: tuple[str, ...]) -> None:
    """Cancel items that wait or are parked, and stop running ones where they await."""

    async def command(connection: PocketBaseConnection) -> None:
        changed = await WorkQueue(connection.pocketbase).cancel(ids)
        click.echo(f"{changed} cancelled")
        if changed < len(set(ids)):
            fail("The others are unknown, done or cancelled already.")

    run_without_stripe(command)


@work.command()
@click.argument("handler")
def pause(handler: str) -> None:
    """Start no further item of a handler, in any process; running ones end."""
    _set_paused(handler, True)


@work.command()
@click.argument("handler")
def resume(handler: str) -> None:
    """Start the items of a paused handler again."""
    _set_paused(handler, False)


def _set_paused(handler: str, paused: bool) -> None:
    state = "paused" if paused else "running"

    async def command(connection: PocketBaseConnection) -> None:
        is_changed = await WorkQueue(connection.pocketbase).pause(handler, paused=paused)
        click.echo(f"{handler} is {state}" if is_changed else f"{handler} was {state} already")

    run_without_stripe(command)


def _line(row: Json) -> str:
    line = f"{row['created'][:19]}  {row['id']}  {row['status']:9}  {row['handler']}"
    return f"{line}  attempts={row['attempts']}  {row['source']}  {row['error']}".rstrip()
