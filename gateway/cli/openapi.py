"""``gateway openapi``: the API's description, for client generators, without a running gateway."""

import json
from typing import Any

import click
from pydantic import SecretStr

from gateway.app import create_app
from gateway.cli.connection import fail
from gateway.settings import Settings, SettingsError


@click.command("openapi")
@click.option(
    "--transforms",
    envvar="GATEWAY_TRANSFORMS",
    default="",
    help="The module with the table of transforms; by default GATEWAY_TRANSFORMS.",
)
def openapi(transforms: str) -> None:
    """Print the OpenAPI document, with a path for each collection that has a transform."""
    try:
        document = describe_api(transforms)
    except SettingsError as error:
        fail(str(error))
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def describe_api(transforms: str = "") -> dict[str, Any]:
    """Return the OpenAPI document, which depends on no other setting.

    Args:
        transforms: the module with the table of transforms, "" for none.

    Raises:
        SettingsError: there is no such module, or its table is wrong.
    """
    nothing = SecretStr("")
    settings = Settings.model_construct(
        pocketbase_superuser_email="",
        pocketbase_superuser_password=nothing,
        stripe_secret_key=nothing,
        stripe_webhook_secrets=(nothing,),
        gateway_frontend_origins=(),
        gateway_transforms=transforms,
    )
    return create_app(settings).openapi()
