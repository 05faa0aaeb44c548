"""Commands of a team's app: Click commands whose functions receive the clients they name."""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, get_type_hints

import click

from gateway.dependencies import PocketBaseDep, SettingsDep, StripeDep
from gateway.pocketbase import open_pocketbase_client
from gateway.settings import StripeSettings
from gateway.source import Source
from gateway.start_error import InvalidRegistration
from gateway.stripe_api import open_stripe

#: The names of the gateway's own commands, which an app can't use.
OWN_COMMANDS = frozenset(
    {
        "backup",
        "customers",
        "dev",
        "doctor",
        "events",
        "export-pocketbase",
        "init",
        "new",
        "openapi",
        "reconcile",
        "serve",
        "transforms",
        "work",
        "worker",
    }
)


@dataclass(frozen=True, slots=True)
class TeamCommand:
    """A command of the app for the ``gateway`` command line."""

    command: click.Command
    source: Source


def index_commands(declared: Iterable[TeamCommand]) -> dict[str, click.Command]:
    """Return the app's commands by name.

    Raises:
        InvalidRegistration: two commands have one name.
    """
    found: dict[str, click.Command] = {}
    for each in declared:
        name = each.command.name or ""
        if name in OWN_COMMANDS or name in found:
            raise InvalidRegistration(f"{each.source}: there is a command {name} already")
        found[name] = each.command
    return found


def build_command(
    function: Callable[..., Any], name: str | None, options: Mapping[str, Any]
) -> click.Command:
    """Return the command of a function.

    Raises:
        ValueError: an annotation can't be resolved.
    """
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ValueError(f"an annotation of the function can't be resolved: {error}") from error
    wanted = {
        parameter: hint
        for parameter, hint in hints.items()
        if hint in (PocketBaseDep, StripeDep, SettingsDep)
    }

    @wraps(function)
    def run(**given: Any) -> None:
        context = click.get_current_context()
        asyncio.run(_call(function, wanted, given, context.obj))

    make: Callable[..., click.Command] = click.command(name, **options)
    return make(run)


async def _call(
    function: Callable[..., Any],
    wanted: Mapping[str, Any],
    given: Mapping[str, Any],
    read_settings: Callable[[], StripeSettings],
) -> None:
    """Call the function with the clients that it names, and close them."""
    clients: dict[str, Any] = {}
    if wanted:
        settings = read_settings()
        async with open_pocketbase_client(settings) as pocketbase, open_stripe(settings) as stripe:
            found = {PocketBaseDep: pocketbase, StripeDep: stripe, SettingsDep: settings}
            clients = {parameter: found[hint] for parameter, hint in wanted.items()}
            await _await(function(**given, **clients))
        return
    await _await(function(**given))


async def _await(returned: Any) -> None:
    if inspect.isawaitable(returned):
        await returned
