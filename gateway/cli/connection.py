"""Settings and clients of commands, and how a command fails."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import stripe

from gateway.cli.command_app import load_command_app
from gateway.cli.running_settings import find_running_settings, names_services
from gateway.errors import GatewayError
from gateway.health.readiness import check_names
from gateway.logs import open_logs
from gateway.mirror.conflicts import ConflictResolver
from gateway.mirror.registry import extend_registry
from gateway.notifications.handlers import index_handlers
from gateway.notifications.router import open_router
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.settings import (
    Kind,
    PocketBaseSettings,
    SettingsError,
    StripeSettings,
    read_settings_of,
)
from gateway.start_error import StartError
from gateway.stripe_api import open_stripe
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter

if TYPE_CHECKING:
    from gateway.app.declarations import Declarations


@dataclass(frozen=True, slots=True)
class PocketBaseConnection:
    """The clients of a command that calls only PocketBase."""

    settings: PocketBaseSettings
    pocketbase: PocketBase


@dataclass(frozen=True, slots=True)
class Connection:
    """The clients of a command that calls PocketBase and Stripe."""

    settings: StripeSettings
    pocketbase: PocketBase
    client: stripe.StripeClient
    own_account: OwnAccount
    event_writer: EventWriter


def run(command: Callable[[Connection], Awaitable[None]]) -> None:
    """Run a command; on failure print one sentence and exit with 1."""
    settings = load_settings(StripeSettings)

    async def work() -> None:
        async with connect(settings) as connection:
            await command(connection)

    _run(work())


def run_without_stripe(command: Callable[[PocketBaseConnection], Awaitable[None]]) -> None:
    """Run a command that needs no Stripe key; see `run`."""
    settings = load_settings(PocketBaseSettings)

    async def work() -> None:
        async with PocketBase(settings) as pocketbase:
            await check_names(pocketbase)
            await command(PocketBaseConnection(settings, pocketbase))

    _run(work())


def load_settings(kind: type[Kind]) -> Kind:
    """Read a command's settings, or exit with a sentence that names the invalid ones.

    Settings that the environment lacks come from a running `make run`.
    """
    found = find_running_settings(Path.cwd(), os.environ)
    if found:
        click.echo(f"Using the settings of the run in {found.folder}.", err=True)
    try:
        return read_settings_of(kind, **(found.values if found else {}))
    except SettingsError as error:
        if found or names_services(os.environ):
            fail(str(error))
        fail(f"No `gateway dev` runs in this folder or above: start it, or set variables. {error}")


def fail(sentence: str) -> NoReturn:
    """Print a sentence to standard error and exit with code 1."""
    click.echo(sentence, err=True)
    sys.exit(1)


def explain(error: GatewayError | PocketBaseRefused) -> str:
    """Return an error's sentence, with PocketBase's messages about fields."""
    if isinstance(error, PocketBaseRefused):
        sentence, data = f"PocketBase refused: {error}", error.body.get("data")
    else:
        sentence, data = error.detail, error.data
    fields = [
        f"{name}: {each['message']}"
        for name, each in (data if isinstance(data, Mapping) else {}).items()
        if isinstance(each, Mapping) and each.get("message", sentence) != sentence
    ]
    return " ".join([sentence, *fields])


def _run(work: Coroutine[None, None, None]) -> None:
    open_logs("WARNING")
    try:
        asyncio.run(work)
    except StartError as error:
        fail(str(error))
    except (GatewayError, PocketBaseRefused) as error:
        fail(explain(error))


@asynccontextmanager
async def connect(settings: StripeSettings) -> AsyncIterator[Connection]:
    """Open the clients of a command, with the app's mirrors in the registry.

    Raises:
        NotReady, PocketBaseUnavailable: PocketBase can't be used.
    """
    async with PocketBase(settings) as pocketbase, open_stripe(settings) as client:
        await check_names(pocketbase)
        own_account = OwnAccount(client, settings.gateway_stripe_account, is_live=settings.is_live)
        conflict_resolver = ConflictResolver(pocketbase, client, own_account)
        # Running gateways do the work that follows from the events of this command.
        declared = load_declarations()
        notification_router = open_router(settings, index_handlers(declared.handlers))
        event_writer = EventWriter(pocketbase, conflict_resolver, notification_router)
        with extend_registry(declared.mirrors, declared.columns):
            try:
                yield Connection(settings, pocketbase, client, own_account, event_writer)
            finally:
                await event_writer.close()


def load_declarations() -> "Declarations":
    """Return the declarations of the command's app; none without an app."""
    # Imported here, because FastAPI loads slowly and commands without Stripe don't need it.
    from gateway.app.declarations import Declarations

    return load_command_app().collect_declarations() or Declarations()
