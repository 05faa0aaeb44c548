"""An operator's tools: the command line, and the engine behind it, in this process."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import stripe
from click.testing import CliRunner

from gateway.cli import main
from gateway.dev.stack import Stack
from gateway.events.replay import Replayed, Replayer
from gateway.events.stored_events import Selection
from gateway.mirror.conflicts import ConflictResolver
from gateway.mirror.event_change import decide
from gateway.pocketbase import PocketBase
from gateway.reconcile.comparison import Difference
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.reconciliation import Reconciliation, Watcher
from gateway.reconcile.run import Options, Run
from gateway.rows import Json
from gateway.settings import Settings, read_settings
from gateway.stripe_api import open_stripe
from gateway.stripe_api.event import parse
from gateway.stripe_api.own_account import OwnAccount
from gateway.webhooks.event_writer import EventWriter

_SETTINGS = ("POCKETBASE_", "STRIPE_", "GATEWAY_")
#: Requests a second that the simulator is far from minding.
_RATE = 1000.0


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The differences that a run found."""

    run: Run
    differences: list[Difference]

    @property
    def found(self) -> set[tuple[str, str]]:
        """The differences as (kind, Stripe id)."""
        return {(each.kind, each.stripe_id) for each in self.differences}

    def count(self, collection: str, what: str = "listed") -> int:
        """Return a number of the report."""
        return self.run.report.counts.get(collection, {}).get(what, 0)


@dataclass(frozen=True, slots=True)
class Operator:
    """Works on one stack."""

    stack: Stack
    pocketbase: PocketBase
    client: stripe.StripeClient
    own_account: OwnAccount
    event_writer: EventWriter

    async def replay(self, *ids: str, **selection: str) -> list[Replayed]:
        """Handle events again: by id, or by what `Selection` knows."""
        replayer = Replayer(self.pocketbase, self.client, self.own_account, self.event_writer)
        results = (
            replayer.replay_ids(ids) if ids else replayer.replay_selected(Selection(**selection))  # type: ignore[arg-type]
        )
        return [result async for result in results]

    async def store(self, event: Json) -> str:
        """Handle an event as a delivery is, without the way there."""
        return await self.event_writer.store(decide(parse(json.dumps(event))))

    async def reconcile(self, **options: object) -> Reconciled:
        """Run a reconciliation to its end; `options` are those of `Options`."""
        differences: list[Difference] = []
        reconciliation = Reconciliation(
            self.pocketbase,
            self.client,
            self.own_account,
            self.event_writer,
            options=Options(**options),  # type: ignore[arg-type]
            pace=RateLimit(_RATE),
            watcher=Watcher(on_difference=differences.append),
        )
        return Reconciled(await reconciliation.run(), differences)


@asynccontextmanager
async def open_operator(stack: Stack) -> AsyncIterator[Operator]:
    """Connect to a stack as its gateway does."""
    settings = _read_settings(stack.gateway.env)
    async with PocketBase(settings) as pocketbase, open_stripe(settings) as client:
        own_account = OwnAccount(client)
        conflict_resolver = ConflictResolver(pocketbase, client, own_account)
        event_writer = EventWriter(pocketbase, conflict_resolver)
        yield Operator(stack, pocketbase, client, own_account, event_writer)
        await event_writer.close()


def _read_settings(env: Mapping[str, str]) -> Settings:
    given = {name.lower(): text for name, text in env.items() if name.startswith(_SETTINGS)}
    return read_settings(**given)


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that came to its end."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The standard output."""
        return self.out.splitlines()


async def run_gateway(stack: Stack, *arguments: str) -> Finished:
    """Run `gateway …` with the settings of a stack's gateway.

    In this process, because loading the libraries takes longer than all the rest.
    """
    return await asyncio.to_thread(_invoke, stack, arguments)


def _invoke(stack: Stack, arguments: Sequence[str]) -> Finished:
    env = {name: text for name, text in stack.gateway.env.items() if name.startswith(_SETTINGS)}
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        result = CliRunner().invoke(main, arguments, env=env)
    finally:
        root.handlers[:], root.level = handlers, level
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


@asynccontextmanager
async def start_gateway_command(
    stack: Stack, *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start `gateway …` as a process; it is killed at the end if it still runs."""
    command = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=stack.gateway.env,
        cwd=stack.gateway.cwd,
    )
    try:
        yield command
    finally:
        if command.returncode is None:
            command.kill()
        await command.communicate()
