"""The gateway's commands."""

import asyncio
import sys
from typing import NoReturn

import click
import uvicorn

from gateway import __version__
from gateway.app import create_app
from gateway.errors import GatewayError, PocketBaseUnavailable
from gateway.health.readiness import check_pocketbase
from gateway.logs import open_logs
from gateway.pocketbase import PocketBase, PocketBaseRefused, open_session
from gateway.settings import Settings, SettingsError, read_settings


@click.group()
@click.version_option(__version__)
def main() -> None:
    """A business-logic gateway beside PocketBase."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
def serve(host: str, port: int) -> None:
    """Serve the gateway; all else is set by environment variables."""
    settings = _settings()
    open_logs(settings.gateway_log_level)
    asyncio.run(_refuse_wrong_superuser(settings))
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
    )


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _exit(str(error))


async def _refuse_wrong_superuser(settings: Settings) -> None:
    """A wrong password never gets right by waiting; a PocketBase that is still starting does."""
    async with open_session(settings) as session:
        try:
            await check_pocketbase(PocketBase(settings, session))
        except PocketBaseUnavailable as error:
            if isinstance(error.__cause__, PocketBaseRefused):
                _exit(error.detail)
        except GatewayError as error:
            click.echo(f"Warning: {error.detail}", err=True)


def _exit(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
