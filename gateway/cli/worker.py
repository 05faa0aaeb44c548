"""``gateway worker``: background work without an HTTP server."""

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

import click

from gateway.cli.connection import fail
from gateway.logs import open_logs
from gateway.start_error import StartError

if TYPE_CHECKING:
    from gateway.app.application import Gateway

_log = logging.getLogger(__name__)


@click.command()
def worker() -> None:
    """Run background work and serve no requests; all settings are environment variables.

    Any number of workers share the work. SIGTERM lets running items end for ten seconds, then gives
    them back.
    """
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    from gateway.app.loader import load_app
    from gateway.app.server import spare_garbage_collector

    try:
        app = load_app()
        settings = app.settings
        open_logs(settings.gateway_log_level, settings.gateway_log_format)
        spare_garbage_collector()
        asyncio.run(_work(app))
    except StartError as error:
        fail(str(error))


async def _work(app: "Gateway") -> None:
    """Work until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with app.run_as_worker():
        _log.info("worker started")
        await stop.wait()
        _log.info("worker stopping")
