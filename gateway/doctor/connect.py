"""Reads options, settings and the app for `gateway doctor`, and opens its clients."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from dotenv import dotenv_values
from pydantic import ValidationError

from gateway.app.application import Gateway
from gateway.app.declarations import Declarations
from gateway.app.loader import PlainGateway, load_app
from gateway.doctor.clients import Clients
from gateway.doctor.context import Context
from gateway.doctor.facts import Facts
from gateway.doctor.given import Given
from gateway.http_client import open_client
from gateway.pocketbase import PocketBase, open_pocketbase_client
from gateway.pocketbase.api.sessions import PasswordSession
from gateway.settings import PocketBaseSettings, Settings, StripeSettings
from gateway.settings_problems import describe_invalid, describe_unreadable, find_variables
from gateway.start_error import StartError
from gateway.stripe_api import KeyCheck, open_stripe

_SECONDS = 5.0
#: For settings that only a client with a token would use.
_NO_CREDENTIALS = {
    "pocketbase_superuser_email": "none@localhost.test",
    "pocketbase_superuser_password": "none",
}
_NO_SUPERUSER = "no superuser is given: set POCKETBASE_SUPERUSER_EMAIL and …_PASSWORD"


def read_given(
    running: Mapping[str, str] | None,
    url: str,
    token: str,
    restore: bool,
    load: Callable[[], Gateway] = load_app,
) -> Given:
    """Read settings and the app.

    Args:
        running: settings of a running `gateway dev`, by lower-case name; None without one.
        url: the address of a remote deployment, "" for the one of the settings.
        token: a superuser's token for a remote deployment.
        restore: whether a large backup is restored as well.
        load: loads the app.
    """
    app, app_problem = _load(load)
    overrides: dict[str, Any] = dict(running or {})
    if url:
        overrides["pocketbase_url"] = url
        overrides |= _NO_CREDENTIALS if token else {}
    secrets_dir = Path(str(PocketBaseSettings.model_config.get("secrets_dir") or "/run/secrets"))
    settings, problems = _read_settings(app.settings_class, overrides, secrets_dir)
    folder = Path.cwd()
    file = folder / ".env"
    names = find_variables(secrets_dir)
    return Given(
        valid_settings=settings,
        # A remote deployment has its own settings.
        problems=() if url else problems,
        variables=frozenset(names | {name.upper() for name in overrides}),
        env_file=frozenset(_read_names(file)) if file.is_file() else None,
        folder=folder,
        fields=frozenset(app.settings_class.model_fields),
        declarations=app.collect_declarations() or Declarations(),
        app_version=app.version,
        app_problem=app_problem,
        url=url,
        token=token,
        restore=restore,
    )


def _load(load: Callable[[], Gateway]) -> tuple[Gateway, str]:
    """Return the app, or a gateway without one and the reason."""
    try:
        return load(), ""
    except StartError as error:
        return PlainGateway(), str(error)


def _read_settings(
    kind: type[Settings], overrides: dict[str, Any], secrets_dir: Path
) -> tuple[PocketBaseSettings | None, tuple[str, ...]]:
    """Return the most complete valid settings, and the problems of all of them."""
    if unreadable := tuple(describe_unreadable(secrets_dir, kind.model_fields)):
        return None, unreadable
    problems: tuple[str, ...] = ()
    kinds: tuple[type[PocketBaseSettings], ...] = (kind, StripeSettings, PocketBaseSettings)
    for each in kinds:
        try:
            return each(**overrides), problems
        except ValidationError as error:
            problems = problems or tuple(describe_invalid(error))
    return None, problems


def _read_names(file: Path) -> set[str]:
    return {name for name, text in dotenv_values(file, interpolate=False).items() if text}


@asynccontextmanager
async def open_context(given: Given) -> AsyncIterator[Context]:
    """Provide the clients of the checks; none connects before it is used."""
    async with AsyncExitStack() as stack:
        clients = await _open_clients(given, stack)
        facts = Facts(given, clients)
        stack.push_async_callback(facts.close)
        yield Context(given, clients, facts)


async def _open_clients(given: Given, stack: AsyncExitStack) -> Clients:
    settings = given.valid_settings
    timeout = httpx2.Timeout(_SECONDS)
    http = await stack.enter_async_context(open_client(timeout=timeout, trust_env=given.is_remote))
    pocketbase = records = stripe_client = None
    key_check = KeyCheck()
    if settings is not None:
        pocketbase = await stack.enter_async_context(PocketBase(settings))
        if given.token:
            pocketbase.session = PasswordSession(_give(given.token))
        records = open_pocketbase_client(settings, pocketbase.session)
        stack.push_async_callback(records.close)
    if isinstance(settings, StripeSettings):
        stripe_client = await stack.enter_async_context(open_stripe(settings, key_check))
    missing = _NO_SUPERUSER if given.is_remote else "settings are not valid: see settings.valid"
    return Clients(http, key_check, missing, pocketbase, records, stripe_client)


def _give(token: str) -> Any:
    async def give() -> str:
        return token

    return give
