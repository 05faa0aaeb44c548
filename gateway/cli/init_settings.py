"""The settings with which `gateway init` calls Stripe and PocketBase.

In this order: flags, the environment, `.env`, and a running `gateway dev` in this folder.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import TypeVar

from gateway.cli.running_settings import find_running_settings
from gateway.settings import PocketBaseSettings, StripeSettings, read_settings_of
from gateway.setup.answers import Answers, split_domains
from gateway.setup.env_file import EnvFile
from gateway.setup.pocketbase_settings import WantedSettings

_Kind = TypeVar("_Kind", bound=PocketBaseSettings)

#: Settings of PocketBase and the app that a run reads; others hold for containers only.
_POCKETBASE = (
    "POCKETBASE_URL",
    "POCKETBASE_SUPERUSER_EMAIL",
    "POCKETBASE_SUPERUSER_PASSWORD",
    "GATEWAY_COLLECTION_PREFIX",
    "GATEWAY_INTERNAL_COLLECTION_PREFIX",
    "GATEWAY_AUTH_COLLECTION",
    "GATEWAY_UPSTREAM_TIMEOUT",
)
_STRIPE = ("STRIPE_SECRET_KEY", "STRIPE_API_BASE", "GATEWAY_STRIPE_ACCOUNT")
_POCKETBASE_PORT = "8090"
_SUBNET = "172.31.251.0/24"
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class InitSettings:
    """Values by variable, of which secrets are never shown."""

    values: Mapping[str, str] = field(repr=False)
    #: Whether a `gateway dev` runs in this folder.
    is_local: bool
    #: Whether its simulator is the only Stripe account there is.
    is_simulated: bool
    former_key: str = field(default="", repr=False)

    @property
    def stripe_key(self) -> str:
        """The key, "" without one."""
        return self.values.get("STRIPE_SECRET_KEY", "")

    @property
    def superuser_email(self) -> str:
        """The address of the gateway's superuser."""
        return self.values.get("POCKETBASE_SUPERUSER_EMAIL", "")

    def read_pocketbase(self) -> PocketBaseSettings:
        """Return the settings of PocketBase's client.

        Raises:
            SettingsError: a value is not valid.
        """
        return self._read(PocketBaseSettings, _POCKETBASE)

    def read_stripe(self) -> StripeSettings:
        """Return the settings of both clients.

        Raises:
            SettingsError: a value is not valid.
        """
        return self._read(StripeSettings, (*_POCKETBASE, *_STRIPE))

    def describe_pocketbase(self, answers: Answers) -> WantedSettings:
        """Return PocketBase's settings as this deployment needs them."""
        domains = split_domains(self.values.get("DOMAIN", ""))
        name, address = parseaddr(answers.mail_from)
        subnet = self.values.get("COMPOSE_SUBNET") or _SUBNET
        return WantedSettings(
            app_url=f"https://{domains[0]}" if domains else "",
            app_name=answers.app_name,
            sender_name=name,
            sender_address=address,
            is_behind_proxy=bool(domains) and not self.is_local,
            gateway_networks=_LOOPBACK if self.is_local else (*_LOOPBACK, subnet),
            mail=answers.mail,
            bucket=answers.bucket,
            backup_cron=answers.backup_cron,
        )

    def _read(self, kind: type[_Kind], names: tuple[str, ...]) -> _Kind:
        given = {name.lower(): self.values[name] for name in names if self.values.get(name)}
        return read_settings_of(kind, **given)


def find_init_settings(env: EnvFile, answers: Answers) -> InitSettings:
    """Return the settings of this deployment.

    Raises:
        SetupError: a secret's file can't be read.
    """
    names = {*_POCKETBASE, *_STRIPE, "DOMAIN", "COMPOSE_SUBNET", "POCKETBASE_PORT"}
    own = {name: os.environ.get(name) or env.get(name) for name in names}
    own["STRIPE_SECRET_KEY"] = answers.stripe_key or own["STRIPE_SECRET_KEY"]
    own["DOMAIN"] = answers.domain or own["DOMAIN"]
    running = find_running_settings(Path.cwd(), os.environ)
    is_simulated = bool(running) and not own["STRIPE_SECRET_KEY"]
    fallback = {name.upper(): text for name, text in running.values.items()} if running else {}
    if not is_simulated:
        # A key must not be sent to the simulator of another account.
        fallback = {name: text for name, text in fallback.items() if not name.startswith("STRIPE_")}
    values = {name: own.get(name) or fallback.get(name, "") for name in {*own, *fallback}}
    port = values.get("POCKETBASE_PORT") or _POCKETBASE_PORT
    values["POCKETBASE_URL"] = values.get("POCKETBASE_URL") or f"http://127.0.0.1:{port}"
    return InitSettings(values, bool(running), is_simulated, env.get("STRIPE_SECRET_KEY"))
