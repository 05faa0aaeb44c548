"""``gateway openapi``: print the OpenAPI document without a running gateway."""

import click

from gateway.cli.command_app import load_command_app
from gateway.cli.connection import fail
from gateway.json_codec import dump_text
from gateway.start_error import StartError


@click.command("openapi")
def openapi() -> None:
    """Print the OpenAPI document of the app (GATEWAY_APP); needs no settings."""
    try:
        document = load_command_app().openapi()
    except StartError as error:
        fail(str(error))
    click.echo(dump_text(document, is_indented=True))
