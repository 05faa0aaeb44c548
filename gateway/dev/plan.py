"""The plan of a stack, as a value: made from the settings for `make run`, or new for a test."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.collection_settings import COLLECTION_VARIABLES, CollectionSettings
from gateway.dev.errors import StackError
from gateway.dev.gateway_process import StripeAccess
from gateway.dev.local_secrets import SUPERUSER_EMAIL, LocalSecrets, generate_secrets
from gateway.dev.ports import LOOPBACK, pick_free
from gateway.dev.project import Project
from gateway.dev.settings import StackSettings
from gateway.hook_settings import HOOK_VARIABLES
from gateway.vocabulary import CollectionNames


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback port of each process."""

    pocketbase: int
    gateway: int
    simulator: int


#: Tests and benchmarks send many requests from one address.
_NO_RATE_LIMITS = {
    "GATEWAY_RATE_LIMIT_ADDRESS": "1000000/second",
    "GATEWAY_RATE_LIMIT_USER": "1000000/second",
}

#: Prefixes of settings that the gateway gets in another way, or not at all.
_OTHER_PARTS = ("POCKETBASE_", "STRIPE_", "SIMULATOR_")

_DEFAULTS = StackSettings()
DEFAULT_PORTS = Ports(_DEFAULTS.pocketbase_port, _DEFAULTS.gateway_port, _DEFAULTS.simulator_port)


@dataclass(frozen=True, slots=True)
class Superuser:
    """The gateway's PocketBase superuser."""

    email: str
    password: str
    #: Whether the password was generated; only then an existing one may be replaced.
    is_generated: bool


@dataclass(frozen=True, slots=True)
class StackPlan:
    """The processes to start, their addresses and secrets, and the folder of their files."""

    folder: Path
    ports: Ports
    superuser: Superuser
    stripe: StripeAccess
    #: Whether `stripe` is the simulator, which is then started too.
    is_simulated: bool
    frontend_origins: tuple[str, ...]
    #: Secrets of the calls between PocketBase's hooks and the gateway; comma-separated.
    hook_secrets: str
    #: Further settings of the gateway, by environment variable.
    gateway_env: Mapping[str, str] = field(default_factory=dict)
    #: Further environment variables of PocketBase, for its hooks.
    pocketbase_env: Mapping[str, str] = field(default_factory=dict)
    #: The static files that PocketBase serves; None for an empty folder.
    public_dir: Path | None = None
    #: The products of the simulated account; None for a demo.
    catalogue: Path | None = None
    #: Whether PocketBase writes a migration for each change of a collection in the dashboard.
    automigrate: bool = False
    #: Folders of migrations besides this repository's.
    migrations: tuple[Path, ...] = ()
    #: A folder of hooks besides this repository's.
    hooks: Path | None = None
    #: Served and reloaded on save.
    project: Project | None = None
    #: Whether the database may be a copy of a migrated one.
    is_throwaway: bool = False

    @property
    def collection_names(self) -> CollectionNames:
        """Return the names of the gateway's collections."""
        given = {name.lower(): text for name, text in self.gateway_env.items() if text}
        return CollectionSettings.model_validate(given).collection_names

    @property
    def simulator_state(self) -> Path:
        """Return the file in which the simulator stores its account."""
        return self.folder / "simulator.json"


def plan_throwaway(folder: Path, gateway_env: Mapping[str, str] | None = None) -> StackPlan:
    """Plan a simulated stack on free ports with fresh secrets, for a test or a benchmark."""
    ports = Ports(pick_free(), pick_free(), pick_free())
    new = generate_secrets()
    return StackPlan(
        folder=folder,
        ports=ports,
        superuser=Superuser(SUPERUSER_EMAIL, new.superuser_password, is_generated=True),
        stripe=_simulate(ports, new),
        is_simulated=True,
        frontend_origins=("http://localhost:3000",),
        hook_secrets=new.hook_secret,
        gateway_env={**_NO_RATE_LIMITS, **(gateway_env or {})},
        pocketbase_env=_choose_hook_settings(gateway_env or {}),
        is_throwaway=True,
    )


def plan_from_settings(
    settings: Mapping[str, str], project: Project, folder: Path, local: LocalSecrets
) -> StackPlan:
    """Plan the stack of `make run`.

    Raises:
        StackError: a setting is missing or not valid; the message names it.
    """
    ports = Ports(
        _read_port(settings, "POCKETBASE_PORT", DEFAULT_PORTS.pocketbase),
        _read_port(settings, "GATEWAY_PORT", DEFAULT_PORTS.gateway),
        _read_port(settings, "SIMULATOR_PORT", DEFAULT_PORTS.simulator),
    )
    is_simulated = "STRIPE_SECRET_KEY" not in settings
    return StackPlan(
        folder=folder,
        ports=ports,
        superuser=_choose_superuser(settings, local),
        stripe=_simulate(ports, local) if is_simulated else _read_stripe(settings),
        is_simulated=is_simulated,
        frontend_origins=_choose_origins(settings, ports),
        hook_secrets=settings.get("GATEWAY_HOOK_SECRETS", local.hook_secret),
        gateway_env=_choose_app_settings(settings),
        pocketbase_env=_choose_hook_settings(settings),
        public_dir=project.public,
        catalogue=project.catalogue,
        automigrate=True,
        migrations=(project.migrations, *_find_migrations(settings)),
        hooks=project.hooks,
        project=project,
    )


def _choose_app_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the gateway's settings, and an app's own of `.env`; it inherits the environment's."""
    return {
        name: text
        for name, text in settings.items()
        if name.startswith("GATEWAY_") or not (name.startswith(_OTHER_PARTS) or name in os.environ)
    }


def _choose_hook_settings(settings: Mapping[str, str]) -> dict[str, str]:
    return {
        name: settings[name]
        for name in (*HOOK_VARIABLES, *COLLECTION_VARIABLES)
        if name in settings
    }


def _simulate(ports: Ports, local: LocalSecrets) -> StripeAccess:
    return StripeAccess(
        local.simulator_secret_key,
        (local.simulator_webhook_secret,),
        f"http://{LOOPBACK}:{ports.simulator}",
    )


def _read_stripe(settings: Mapping[str, str]) -> StripeAccess:
    if "STRIPE_WEBHOOK_SECRETS" not in settings:
        raise StackError(
            "STRIPE_SECRET_KEY is set but STRIPE_WEBHOOK_SECRETS is not: add the signing secret "
            "(whsec_…) of the webhook endpoint, or the one that `stripe listen` prints."
        )
    return StripeAccess(
        settings["STRIPE_SECRET_KEY"],
        tuple(part.strip() for part in settings["STRIPE_WEBHOOK_SECRETS"].split(",")),
        settings.get("STRIPE_API_BASE", "https://api.stripe.com"),
    )


def _choose_superuser(settings: Mapping[str, str], local: LocalSecrets) -> Superuser:
    email = settings.get("POCKETBASE_SUPERUSER_EMAIL")
    password = settings.get("POCKETBASE_SUPERUSER_PASSWORD")
    if email and password:
        return Superuser(email, password, is_generated=False)
    if email or password:
        missing = "POCKETBASE_SUPERUSER_PASSWORD" if email else "POCKETBASE_SUPERUSER_EMAIL"
        raise StackError(
            f"{missing} is not set: set both the superuser's e-mail address and password, or none."
        )
    return Superuser(SUPERUSER_EMAIL, local.superuser_password, is_generated=True)


def _choose_origins(settings: Mapping[str, str], ports: Ports) -> tuple[str, ...]:
    if "GATEWAY_FRONTEND_ORIGINS" in settings:
        return tuple(part.strip() for part in settings["GATEWAY_FRONTEND_ORIGINS"].split(","))
    # Pages that PocketBase serves, and the usual ports of development servers.
    local_ports = (ports.pocketbase, 3000, 5173)
    return tuple(
        f"http://{host}:{port}" for port in local_ports for host in ("localhost", LOOPBACK)
    )


def _find_migrations(settings: Mapping[str, str]) -> tuple[Path, ...]:
    names = settings.get("POCKETBASE_MIGRATIONS", "").split(",")
    folders = tuple(Path.cwd() / name.strip() for name in names if name.strip())
    for folder in folders:
        if not folder.is_dir():
            raise StackError(f"POCKETBASE_MIGRATIONS names {folder}, which is not a folder.")
    return folders


def _read_port(settings: Mapping[str, str], name: str, default: int) -> int:
    text = settings.get(name, str(default))
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise StackError(f"{name} is {text!r}, which is not a port: give a number from 1 to 65535.")
    return int(text)
