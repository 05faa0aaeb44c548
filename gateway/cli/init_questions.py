"""The questions of `gateway init`: in a terminal it asks for what flags and `.env` leave open."""

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from gateway.cli.init_settings import InitSettings
from gateway.setup.answers import Answers
from gateway.setup.env_file import EnvFile
from gateway.setup.errors import SetupError
from gateway.setup.permissions import PERMISSIONS, build_key_url
from gateway.setup.pocketbase_settings import Bucket, MailServer

_DIRECT = (
    "domain",
    "frontend_origins",
    "stripe_key",
    "webhook_url",
    "all_events",
    "new_endpoint",
    "superuser_email",
    "admin_email",
    "admin_password",
    "app_name",
    "mail_from",
    "backup_cron",
    "backup_folder",
)


def read_answers(given: Mapping[str, Any]) -> Answers:
    """Return the answers of flags and variables.

    Raises:
        SetupError: flags that belong together are incomplete.
    """
    direct = {name: given[name] for name in _DIRECT}
    return Answers(**direct, mail=_read_mail(given), bucket=_read_bucket(given))


def _read_mail(given: Mapping[str, Any]) -> MailServer | None:
    if not given["smtp_host"]:
        return None
    return MailServer(
        given["smtp_host"], given["smtp_port"], given["smtp_user"], given["smtp_password"]
    )


def _read_bucket(given: Mapping[str, Any]) -> Bucket | None:
    if not given["backup_bucket"]:
        return None
    names = ("backup_bucket", "backup_region", "backup_endpoint", "backup_key")
    missing = [name for name in names if not given[name]]
    if missing:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise SetupError(f"--backup-bucket needs {flags} too.")
    return Bucket(
        name=given["backup_bucket"],
        region=given["backup_region"],
        endpoint=given["backup_endpoint"],
        access_key=given["backup_key"],
        secret=given["backup_secret"],
    )


def ask_about_services(answers: Answers, env: EnvFile, settings: InitSettings) -> Answers:
    """Ask for the domain and the Stripe key, if they are missing and this is a terminal."""
    if not _has_terminal() or settings.is_local:
        return answers
    if not settings.values.get("DOMAIN") and env.is_new:
        domain = click.prompt("Domain (empty for this machine only)", "", show_default=False)
        answers = replace(answers, domain=str(domain).strip())
    if not settings.stripe_key:
        _explain_key()
        key = click.prompt("Stripe's secret or restricted key", hide_input=True)
        answers = replace(answers, stripe_key=str(key).strip())
    return answers


def _explain_key() -> None:
    click.echo("A restricted key needs these permissions:")
    for each in PERMISSIONS:
        optional = "; optional" if each.is_optional else ""
        click.echo(f"  {each.describe()}{optional}")
    click.echo(f"This page has them selected: {build_key_url('live')}")


def ask_about_people(
    answers: Answers, people: list[str], mail_is_on: bool, is_simulated: bool
) -> Answers:
    """Ask for a superuser for people and for the mail server, if both are missing."""
    if not _has_terminal() or is_simulated:
        return answers
    with _interruptible():
        return _ask_about_people(answers, people, mail_is_on)


def _ask_about_people(answers: Answers, people: list[str], mail_is_on: bool) -> Answers:
    if not people and not answers.admin_email:
        email = click.prompt("E-mail address of a superuser for people")
        answers = replace(answers, admin_email=str(email).strip())
    if answers.admin_email and answers.admin_email not in people and not answers.admin_password:
        password = click.prompt("Its password", hide_input=True, confirmation_prompt=True)
        answers = replace(answers, admin_password=str(password))
    if not mail_is_on and answers.mail is None:
        answers = replace(answers, mail=_ask_for_mail())
    return answers


def _ask_for_mail() -> MailServer | None:
    host = str(click.prompt("Mail server (empty for none)", "", show_default=False)).strip()
    if not host:
        return None
    port = click.prompt("Port", 587, type=click.IntRange(1, 65_535))
    user = click.prompt("User name", "", show_default=False)
    password = click.prompt("Password", "", hide_input=True, show_default=False) if user else ""
    return MailServer(host, int(port), str(user), str(password))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a prompt: asyncio's own handler would wait for the line."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _has_terminal() -> bool:
    return sys.stdin.isatty()
