"""The gateway's commands."""

import click

from gateway import __version__
from gateway.cli.customers import customers
from gateway.cli.events import events
from gateway.cli.notifications import notifications
from gateway.cli.openapi import openapi
from gateway.cli.reconcile import reconcile
from gateway.cli.serve import serve
from gateway.cli.transforms import transforms


@click.group()
@click.version_option(__version__)
def main() -> None:
    """A business-logic gateway beside PocketBase."""


main.add_command(serve)
main.add_command(customers)
main.add_command(events)
main.add_command(notifications)
main.add_command(openapi)
main.add_command(reconcile)
main.add_command(transforms)
