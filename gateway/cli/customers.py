"""``gateway customers``: move a Stripe customer to another user or organization."""

import click

from gateway.cli.connection import Connection, fail, run
from gateway.customers.transfer import CustomerTransfer, Payer
from gateway.json_codec import dump_text
from gateway.mirror.locks import ObjectLocks
from gateway.mirror.refresh import Refresher


@click.group()
def customers() -> None:
    """Stripe's customers and their owners."""


@customers.command()
@click.argument("customer", metavar="CUS")
@click.option("--to", "user", default="", metavar="USER", help="Id of the new owner, a user.")
@click.option(
    "--to-organization",
    "organization",
    default="",
    metavar="ORG",
    help="Id of the new owner, an organization.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def move(customer: str, user: str, organization: str, as_json: bool) -> None:
    """Move a customer, with its subscriptions, invoices, payments and entitlements.

    Writes the new owner to the customer's metadata at Stripe, with the owner's e-mail address and
    name, and moves every row in PocketBase.
    """
    if bool(user) == bool(organization):
        fail("Give --to USER or --to-organization ORG.")

    async def command(connection: Connection) -> None:
        apply = Refresher(connection.pocketbase, connection.client, ObjectLocks()).apply
        transfer = CustomerTransfer(connection.pocketbase, connection.client, apply)
        moved = await transfer.move(customer, Payer(user, organization))
        if as_json:
            result = {"customer": customer, "from": moved.before.name, "to": moved.after.name}
            click.echo(dump_text(result))
        else:
            click.echo(f"{customer}  {moved.before.name} -> {moved.after.name}")

    run(command)
