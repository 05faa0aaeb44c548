"""``gateway worker``: background work without requests of frontends, PocketBase and Stripe."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import click

from gateway.cli.connection import fail
from gateway.cli.hold import hold_process
from gateway.logs import open_logs
from gateway.start_error import StartError

if TYPE_CHECKING:
    from gateway.app.application import Gateway

_log = logging.getLogger(__name__)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Serve /health, /ready and /metrics here. By default nothing is served.",
)
@click.option("--hold", is_flag=True, help="As of `gateway serve`, for containers.")
def worker(host: str, port: int | None, hold: bool) -> None:
    """Run background work; all settings are environment variables.

    Any number of workers share the work. SIGTERM lets running items end for ten seconds, then gives
    them back.
    """
    give_up = hold_process if hold else fail
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    from gateway.app.loader import load_app
    from gateway.app.server import spare_garbage_collector

    try:
        app = load_app()
        settings = app.settings
        open_logs(settings.gateway_log_level, settings.gateway_log_format)
        spare_garbage_collector()
        asyncio.run(_work(app, host, port))
    except StartError as error:
        give_up(str(error))


async def _work(app: "Gateway", host: str, port: int | None) -> None:
    """Work until SIGTERM or Ctrl-C."""
    from gateway.app.worker_server import serve_state

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.run_as_worker())
        if port:
            await stack.enter_async_context(serve_state(app.services, host, port))
        _log.info("worker started")
        await stop.wait()
        _log.info("worker stopping")
