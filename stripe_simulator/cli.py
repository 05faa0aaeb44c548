"""The command `python -m stripe_simulator`."""

import time
from pathlib import Path

import click
import uvicorn

from stripe_simulator.catalogue import DEMO, InvalidCatalogue, read_catalogue
from stripe_simulator.http.api import Api
from stripe_simulator.http.application import application
from stripe_simulator.resources import webhook_endpoints
from stripe_simulator.settings import API_VERSION, Settings
from stripe_simulator.simulator import Simulator
from stripe_simulator.snapshots import JSON
from stripe_simulator.world import World


@click.command(context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=12111, help="Port to listen on.")
@click.option("--state", type=click.Path(path_type=Path), help="File that keeps the state.")
@click.option("--seed-catalogue", is_flag=True, help="Begin with a demo catalogue.")
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    help="TOML file of products instead of the demo catalogue.",
)
@click.option("--webhook-url", help="Endpoint that gets every event.")
@click.option(
    "--webhook-secret",
    envvar="STRIPE_SIMULATOR_WEBHOOK_SECRET",
    help="The endpoint's signing secret.",
)
@click.option("--api-key", envvar="STRIPE_SIMULATOR_API_KEY", help="The only key accepted.")
@click.option("--contract", is_flag=True, help="Hold everything against Stripe's OpenAPI document.")
@click.option("--public-url", help="Base of the hosted pages' addresses.")
@click.option("--seed", default=0, help="Seed of ids and of every random choice.")
@click.option("--frozen-clock", is_flag=True, help="Time moves only through the control API.")
@click.option("--log-level", default="warning", help="uvicorn's log level.")
def main(
    host: str,
    port: int,
    state: Path | None,
    seed_catalogue: bool,
    catalogue: Path | None,
    webhook_url: str | None,
    webhook_secret: str | None,
    api_key: str | None,
    contract: bool,
    public_url: str | None,
    seed: int,
    frozen_clock: bool,
    log_level: str,
) -> None:
    """Serve a simulated Stripe account."""
    if webhook_url and not webhook_secret:
        raise click.UsageError(
            "--webhook-url needs --webhook-secret or STRIPE_SIMULATOR_WEBHOOK_SECRET."
        )
    simulator = build(
        settings=Settings(public_url=public_url or f"http://{host}:{port}"),
        seed=seed,
        frozen_clock=frozen_clock,
        file=state,
        seed_catalogue=seed_catalogue,
        products=_read_products(catalogue),
        api_key=api_key,
        contract=contract,
    )
    if webhook_url:
        keep_endpoint(simulator, webhook_url, webhook_secret or "")
    click.echo(f"Stripe simulator at http://{host}:{port}/")
    serve(simulator, host, port, log_level)


def _read_products(file: Path | None) -> tuple[JSON, ...] | None:
    try:
        return read_catalogue(file) if file else None
    except InvalidCatalogue as error:
        raise click.UsageError(str(error)) from error


def build(
    *,
    settings: Settings | None = None,
    seed: int = 0,
    frozen_clock: bool = False,
    file: Path | None = None,
    seed_catalogue: bool = False,
    products: tuple[JSON, ...] | None = None,
    api_key: str | None = None,
    contract: bool = False,
) -> Simulator:
    """Put a simulator together."""
    catalogue = products or (DEMO if seed_catalogue else ())
    source = None if frozen_clock else time.time
    world = World(seed=seed, now=int(time.time()), settings=settings, time_source=source)
    if not contract:
        return Simulator(Api(world, api_key), file=file, catalogue=catalogue)
    from stripe_simulator.contract.checked_api import CheckedApi

    api = CheckedApi(world, api_key)
    simulator = Simulator(api, file=file, catalogue=catalogue)
    simulator.violations = api.contract.violations
    return simulator


def keep_endpoint(simulator: Simulator, url: str, secret: str) -> None:
    """Register the command's endpoint once, also when the state knows it already."""
    for endpoint in simulator.world.all("webhook_endpoint").values():
        if endpoint["url"] == url:
            simulator.world.facts("endpoint")[endpoint["id"]]["secret"] = secret
            return
    webhook_endpoints.open(simulator.world, url, ["*"], secret=secret, api_version=API_VERSION)


def serve(simulator: Simulator, host: str, port: int, log_level: str = "warning") -> None:
    """Serve until interrupted; the Date header is the simulator's own."""
    uvicorn.run(
        application(simulator),
        host=host,
        port=port,
        log_level=log_level,
        date_header=False,
        server_header=False,
        # Longer than clients keep idle connections: a request must not meet one that closes.
        timeout_keep_alive=100,
    )
