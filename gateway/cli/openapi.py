"""``gateway openapi``: print the OpenAPI document without a running gateway."""

import click

from gateway.cli.connection import fail
from gateway.json_codec import dump_text
from gateway.start_error import StartError


@click.command("openapi")
def openapi() -> None:
    """Print the OpenAPI document of the app (GATEWAY_APP); needs no settings."""
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    from gateway.app.loader import load_app

    try:
        document = load_app().openapi()
    except StartError as error:
        fail(str(error))
    click.echo(dump_text(document, is_indented=True))
