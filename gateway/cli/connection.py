"""What every command begins with: settings, and connections to PocketBase and Stripe."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

import click
import stripe

from gateway.errors import GatewayError
from gateway.logs import open_logs
from gateway.notifications.announcer import open_announcer
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.settings import Settings, SettingsError, read_settings
from gateway.stripe_api import open_stripe
from gateway.webhooks.inbox import Inbox
from gateway.webhooks.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Connection:
    """What a command works with."""

    settings: Settings
    pocketbase: PocketBase
    client: stripe.StripeClient
    inbox: Inbox


def run(command: Callable[[Connection], Awaitable[None]]) -> None:
    """Run a command to its end; what can't be done is said in one sentence, with exit code 1."""
    settings = load_settings()
    open_logs("WARNING")
    try:
        asyncio.run(_run(settings, command))
    except SettingsError as error:
        fail(str(error))
    except GatewayError as error:
        fail(error.detail)
    except PocketBaseRefused as refused:
        fail(f"PocketBase refused: {refused}")


def load_settings() -> Settings:
    """Read the settings, or end with what is wrong with them."""
    try:
        return read_settings()
    except SettingsError as error:
        fail(str(error))


def fail(sentence: str) -> NoReturn:
    """End the command with a sentence and exit code 1."""
    click.echo(sentence, err=True)
    sys.exit(1)


async def _run(settings: Settings, command: Callable[[Connection], Awaitable[None]]) -> None:
    async with _connect(settings) as connection:
        await command(connection)


@asynccontextmanager
async def _connect(settings: Settings) -> AsyncIterator[Connection]:
    async with PocketBase(settings) as pocketbase, open_stripe(settings) as client:
        settlement = Settlement(pocketbase, client)
        # What it stores, the gateways that are running tell.
        inbox = Inbox(pocketbase, settlement, open_announcer(settings))
        try:
            yield Connection(settings, pocketbase, client, inbox)
        finally:
            await inbox.close()
