"""Fills in `.env`: given values, generated secrets and the defaults of a public deployment."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gateway.setup.answers import Answers, split_domains
from gateway.setup.env_file import EnvFile
from gateway.setup.errors import SetupError
from gateway.setup.generated_secrets import (
    generate_hook_secret,
    generate_password,
    generate_token,
)
from gateway.setup.permissions import read_mode
from gateway.setup.report import SetupReport

#: With a domain. The dashboard stays open on 127.0.0.1:8090, for example through `ssh -L`.
_PUBLIC = {
    "HTTP_PORT": "80",
    "HTTPS_PORT": "443",
    "CADDY_CLOSED_PATHS": "/_/* /admin/* /docs /docs/* /openapi.json",
}
_GENERATED: dict[str, Callable[[], str]] = {
    "POCKETBASE_SUPERUSER_PASSWORD": generate_password,
    "GATEWAY_HOOK_SECRETS": generate_hook_secret,
    "GATEWAY_METRICS_TOKEN": generate_token,
}
_STRIPE_KEY = "STRIPE_SECRET_KEY"
_KEY = re.compile(r"[sr]k_(live|test)_[A-Za-z0-9_]+")
_LOCAL_ORIGINS = "http://127.0.0.1:8080,http://localhost:8080"


@dataclass(frozen=True, slots=True)
class EnvWriter:
    """Sets values of `.env` and reports them; of a secret the name alone."""

    env: EnvFile
    report: SetupReport

    def fill_in(self, answers: Answers, *, is_local: bool) -> None:
        """Set given values, and generate missing secrets; other values stay.

        Args:
            is_local: whether `gateway dev` runs here, which has secrets of its own.

        Raises:
            SetupError: a value is not valid.
        """
        before = self.report.changes
        self._give(_STRIPE_KEY, answers.stripe_key)
        if not is_local:
            self._fill_in_deployment(answers)
        if self.env.is_open_to_others:
            self.report.change(f"{self.env.file.name}: mode 0600")
        if self.report.changes == before:
            self.report.keep(f"{self.env.file}")

    def save(self) -> None:
        """Write the file, also if only its mode is too open.

        Raises:
            SetupError: it can't be written.
        """
        if not self.report.is_dry_run:
            self.env.save()

    def _fill_in_deployment(self, answers: Answers) -> None:
        domains = split_domains(answers.domain or self.env.get("DOMAIN"))
        self._give("DOMAIN", answers.domain)
        for name, value in _PUBLIC.items() if domains else ():
            self._default(name, value)
        origins = ",".join(f"https://{domain}" for domain in domains) or _LOCAL_ORIGINS
        self._give("GATEWAY_FRONTEND_ORIGINS", answers.frontend_origins)
        self._default("GATEWAY_FRONTEND_ORIGINS", origins)
        self._give("POCKETBASE_SUPERUSER_EMAIL", answers.superuser_email)
        host = domains[0].partition(":")[0] if domains else "localhost.test"
        self._default("POCKETBASE_SUPERUSER_EMAIL", f"gateway@{host}")
        for name, generate in _GENERATED.items():
            self._default(name, generate())
        if answers.backup_folder:
            self._give("BACKUP_FOLDER", answers.backup_folder)
            self._add_profile("backup")

    def _add_profile(self, profile: str) -> None:
        profiles = [each for each in self.env.get("COMPOSE_PROFILES").split(",") if each]
        if profile not in profiles:
            self._give("COMPOSE_PROFILES", ",".join([*profiles, profile]))

    def _give(self, name: str, value: str) -> None:
        """Set a value that was given, also over another one."""
        if value and self.env.set(name, value):
            self._report(name, value)

    def _default(self, name: str, value: str) -> None:
        """Set a value that is missing."""
        if not self.env.get(name) and self.env.set(name, value):
            self._report(name, value)

    def _report(self, name: str, value: str) -> None:
        """Report a change, with the value unless it is a secret."""
        if name in _GENERATED:
            shown = f"{name} (generated)"
        else:
            shown = name if name == _STRIPE_KEY else f"{name}={value}"
        self.report.change(f"{self.env.file.name}: {shown}")


def require_key(key: str, former: str, report: SetupReport) -> None:
    """Check the form of a Stripe key, and report a change of mode.

    Raises:
        SetupError: it is missing, a publishable key, or cut off.
    """
    if not key:
        raise SetupError(
            "STRIPE_SECRET_KEY is not set: give --stripe-key or the variable, or run in a terminal."
        )
    if key.startswith("pk_"):
        raise SetupError("STRIPE_SECRET_KEY is a publishable key (pk_…): use sk_… or rk_….")
    mode = read_mode(key)
    if not _KEY.fullmatch(key):
        raise SetupError(
            "STRIPE_SECRET_KEY is not a Stripe key: it starts with sk_live_, rk_live_, sk_test_ or"
            " rk_test_, followed by letters and digits."
        )
    if former and read_mode(former) not in (None, mode):
        report.todo(
            f"The key is now one of {mode} mode. Rows of the other mode stay in PocketBase: go live"
            " with an empty database"
        )
