"""Commands of a team's app: Click commands whose functions receive the clients they name."""

import asyncio
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import click

from gateway.dependencies import PocketBaseDep, SettingsDep, StripeDep
from gateway.pocketbase import open_pocketbase_client
from gateway.settings import PocketBaseSettings, StripeSettings
from gateway.source import Source
from gateway.start_error import InvalidRegistration, StartError
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
        "users",
        "work",
        "worker",
    }
)


#: Parameters that Click passes by name.
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


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
    wanted = {parameter: hint for parameter, hint in hints.items() if _is_given(hint)}
    _require_options(function, wanted)

    @wraps(function)
    def run(**given: Any) -> None:
        context = click.get_current_context()
        asyncio.run(_call(function, wanted, given, context.obj))

    make: Callable[..., click.Command] = click.command(name, **options)
    return make(run)


def _is_given(hint: Any) -> bool:
    """Whether a parameter of this type gets a client, or the settings of any class."""
    return hint in (PocketBaseDep, StripeDep) or _settings_class(hint) is not None


def _settings_class(hint: Any) -> type[PocketBaseSettings] | None:
    """Return the class of an annotation such as ``Settings`` or a subclass, None for another."""
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    is_settings = isinstance(kind, type) and issubclass(kind, PocketBaseSettings)
    return kind if is_settings else None


def _check_settings(settings: StripeSettings, hint: Any, parameter: str) -> StripeSettings:
    kind = _settings_class(hint)
    if kind is None or isinstance(settings, kind) or hint == SettingsDep:
        return settings
    raise StartError(
        f"The parameter {parameter} is a {kind.__name__}, but the app has"
        f" {type(settings).__name__}: write Gateway(settings={kind.__name__})."
    )


def _require_options(function: Callable[..., Any], wanted: Mapping[str, Any]) -> None:
    """Refuse a parameter that nothing sets; Click would call the function without it.

    Raises:
        ValueError: names the parameter.
    """
    if hasattr(function, "__wrapped__"):
        # A decorator such as click.pass_context may set it.
        return
    options = {each.name for each in getattr(function, "__click_params__", ())}
    for parameter in inspect.signature(function).parameters.values():
        is_set = parameter.name in wanted or parameter.name in options
        if not is_set and parameter.default is parameter.empty and parameter.kind in _NAMED:
            raise ValueError(
                f"the parameter {parameter.name} has no click.option or click.argument, and its"
                " type is not PocketBase, Stripe or a settings class"
            )


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
            found = {PocketBaseDep: pocketbase, StripeDep: stripe}
            clients = {
                parameter: found.get(hint) or _check_settings(settings, hint, parameter)
                for parameter, hint in wanted.items()
            }
            await _await(function(**given, **clients))
        return
    await _await(function(**given))


async def _await(returned: Any) -> None:
    if inspect.isawaitable(returned):
        await returned
