"""``gateway serve``: the HTTP server."""

import asyncio
import sys
from contextlib import suppress

import click

from gateway.cli.connection import fail
from gateway.cli.hold import hold_process
from gateway.errors import GatewayError, PocketBaseUnavailable
from gateway.health.readiness import check_pocketbase
from gateway.logs import open_logs
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.settings import Settings
from gateway.start_error import StartError

#: As uvicorn's own command.
_STARTUP_FAILURE = 3
#: A PocketBase that is slow, for example locked by a backup, must not delay the start.
_CHECK_SECONDS = 1.0


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--root-path", default="", help="Path prefix that a proxy strips, such as /gateway.")
@click.option(
    "--hold",
    is_flag=True,
    help="After a wrong setting, wait for SIGTERM instead of exiting: for containers, which would"
    " be restarted for ever.",
)
def serve(host: str, port: int, root_path: str, hold: bool) -> None:
    """Serve the gateway; all other settings are environment variables."""
    give_up = hold_process if hold else fail
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    import uvicorn

    from gateway.app.loader import load_app
    from gateway.app.server import build_config, spare_garbage_collector

    try:
        app = load_app()
        settings = app.settings
    except StartError as error:
        give_up(str(error))
    open_logs(settings.gateway_log_level, settings.gateway_log_format)
    if refusal := asyncio.run(_find_refusal(settings)):
        give_up(refusal)
    spare_garbage_collector()
    server = uvicorn.Server(
        build_config(app, host=host, port=port, root_path=root_path.rstrip("/"))
    )
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_STARTUP_FAILURE)


async def _find_refusal(settings: Settings) -> str:
    """Return why PocketBase refuses the superuser; only warn if it is not ready yet."""
    async with PocketBase(settings) as pocketbase:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await check_pocketbase(pocketbase)
        except TimeoutError:
            click.echo("Warning: PocketBase does not answer in time; /ready checks it.", err=True)
        except PocketBaseUnavailable as error:
            if isinstance(error.__cause__, PocketBaseRefused):
                return error.detail
        except GatewayError as error:
            click.echo(f"Warning: {error.detail}", err=True)
    return ""
