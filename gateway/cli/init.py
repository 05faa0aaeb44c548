"""``gateway init``: set a deployment up, from `.env` to the imported catalogue."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gateway.cli.connection import connect, fail, load_declarations
from gateway.cli.init_questions import ask_about_people, ask_about_services, read_answers
from gateway.cli.init_settings import InitSettings, find_init_settings
from gateway.errors import GatewayError
from gateway.logs import open_logs
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.reconcile.comparison import Difference
from gateway.reconcile.rate_limit import RateLimit
from gateway.reconcile.reconciliation import Reconciliation, Watcher
from gateway.reconcile.run import Options
from gateway.setup.answers import Answers
from gateway.setup.env_file import EnvFile
from gateway.setup.event_types import handled_types
from gateway.setup.report import SetupReport
from gateway.setup.set_up_pocketbase import PocketBaseSetup
from gateway.setup.set_up_stripe import StripeSetup
from gateway.setup.superusers import Person, create_person, list_people
from gateway.setup.write_env import EnvWriter, require_key
from gateway.start_error import StartError
from gateway.stripe_api import open_stripe

#: Collections of the catalogue.
_CATALOGUE = ("products", "prices", "coupons", "promotion_codes", "tax_rates")
#: Requests to Stripe per second.
_RATE = 20.0


def _option(
    name: str, help: str, **more: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(name, help=help, **({"default": "", "metavar": "TEXT"} | more))


@click.command()
@click.option("--dry-run", is_flag=True, help="Print the changes without making them.")
@click.option(
    "--env-file",
    default=".env",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The deployment's settings.",
)
@click.option("--without-pocketbase", is_flag=True, help="Only .env and Stripe: before the start.")
@_option("--domain", "Public domain, such as shop.example.com.")
@_option("--frontend-origins", "Origins of the frontends. By default https:// and the domain.")
@_option("--stripe-key", "Secret or restricted key.", envvar="STRIPE_SECRET_KEY", show_envvar=True)
@_option("--webhook-url", "The webhook endpoint. By default the domain with /webhooks/stripe.")
@click.option("--all-events", is_flag=True, help="The endpoint receives all events of the account.")
@click.option(
    "--new-endpoint", is_flag=True, help="Replace an endpoint with a secret that is not known."
)
@_option("--superuser-email", "The gateway's own PocketBase superuser.")
@_option("--admin-email", "A PocketBase superuser for people.")
@_option("--admin-password", "Its password.", envvar="INIT_ADMIN_PASSWORD", show_envvar=True)
@_option("--app-name", "Name of the application in PocketBase's mails.")
@_option("--mail-from", "Sender of PocketBase's mails: 'Shop <hello@example.com>'.")
@_option("--smtp-host", "Mail server.")
@_option("--smtp-port", "Its port.", default=587, type=click.IntRange(1, 65_535), metavar="PORT")
@_option("--smtp-user", "User name at the mail server.")
@_option("--smtp-password", "Its password.", envvar="INIT_SMTP_PASSWORD", show_envvar=True)
@_option("--backup-bucket", "S3 bucket of PocketBase's backups.")
@_option("--backup-region", "Its region.")
@_option("--backup-endpoint", "Its address, such as https://s3.eu-central-1.amazonaws.com.")
@_option("--backup-key", "Its access key.")
@_option("--backup-secret", "Its secret.", envvar="INIT_BACKUP_SECRET", show_envvar=True)
@_option("--backup-cron", "Schedule of PocketBase's backups. By default 0 3 * * *.")
@_option("--backup-folder", "Folder of the continuous backup, on a disk of another machine.")
def init(dry_run: bool, env_file: Path, without_pocketbase: bool, **given: Any) -> None:
    """Set a deployment up: .env, Stripe's webhook endpoint and portal, PocketBase, the catalogue.

    Asks in a terminal for missing values; otherwise flags and variables count. Values that are set
    stay. A second run changes nothing; a run that was interrupted is repeated by the same command.
    Secrets are never printed: prefer prompts or the variables, because other users see flags.
    """
    open_logs("CRITICAL")
    report = SetupReport(click.echo, is_dry_run=dry_run)
    try:
        initializer = _Initializer(EnvFile(env_file), read_answers(given), report)
        is_complete = initializer.run(with_pocketbase=not without_pocketbase)
    except StartError as error:
        fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        fail("Interrupted. Run the same command again: it continues with the missing steps.")
    report.end()
    if not is_complete:
        fail("Some steps failed: correct them, then run `gateway init` again.")


@dataclass(slots=True)
class _Initializer:
    """Runs the steps; one that fails does not keep the others from being done."""

    env: EnvFile
    answers: Answers
    report: SetupReport
    _failures: int = 0

    def run(self, *, with_pocketbase: bool) -> bool:
        """Return whether every step succeeded."""
        if not self.report.is_dry_run:
            self.env.require_writable()
        known = find_init_settings(self.env, self.answers)
        self.answers = ask_about_services(self.answers, self.env, known)
        self._write_env(find_init_settings(self.env, self.answers))
        settings = find_init_settings(self.env, self.answers)
        return asyncio.run(self._run_steps(settings, with_pocketbase))

    def _write_env(self, settings: InitSettings) -> None:
        if not settings.is_simulated:
            require_key(settings.stripe_key, settings.former_key, self.report)
        writer = EnvWriter(self.env, self.report)
        writer.fill_in(self.answers, is_local=settings.is_local)
        for name in self.env.list_interpolated():
            self.report.todo(f"{self.env.file.name}: put the value of {name} in single quotes")
        writer.save()

    async def _run_steps(self, settings: InitSettings, with_pocketbase: bool) -> bool:
        steps: list[Callable[[InitSettings], Awaitable[None]]] = [self._set_up_stripe]
        if with_pocketbase:
            steps += [self._set_up_pocketbase, self._import_catalogue]
        for step in steps:
            if not await self._try(step, settings) and step == self._set_up_pocketbase:
                return False
        return self._failures == 0

    async def _try(
        self, step: Callable[[InitSettings], Awaitable[None]], settings: InitSettings
    ) -> bool:
        try:
            await step(settings)
        except StartError as error:
            reason = str(error)
        except GatewayError as error:
            reason = error.detail
        except PocketBaseRefused as refused:
            reason = f"PocketBase refused: {refused}"
        else:
            return True
        self._failures += 1
        click.echo(f"{'failed':<13} {reason}")
        return False

    async def _set_up_stripe(self, settings: InitSettings) -> None:
        if settings.is_simulated:
            self.report.keep("Stripe: simulated by the running `gateway dev`")
            return
        declared = load_declarations()
        topics = {topic for handler in declared.handlers for topic in handler.topics}
        types = handled_types([each.object for each in declared.mirrors], topics)
        writer = EnvWriter(self.env, self.report)
        stripe_settings = settings.read_stripe()
        async with open_stripe(stripe_settings) as client:
            await StripeSetup(
                client,
                settings.stripe_key,
                stripe_settings.stripe_api_base,
                self.env,
                writer.save,
                self.report,
            ).apply(self.answers, types)

    async def _set_up_pocketbase(self, settings: InitSettings) -> None:
        async with PocketBase(settings.read_pocketbase()) as pocketbase:
            people = await list_people(pocketbase, settings.superuser_email)
            mail_is_on = (await pocketbase.call("GET", "/api/settings"))["smtp"]["enabled"]
            self.answers = ask_about_people(self.answers, people, mail_is_on, settings.is_simulated)
            wanted = settings.describe_pocketbase(self.answers)
            await PocketBaseSetup(pocketbase, self.report).apply(wanted)
            await self._create_person(pocketbase, people)

    async def _create_person(self, pocketbase: PocketBase, people: list[str]) -> None:
        email = self.answers.admin_email
        if people and (not email or email in people):
            self.report.keep(f"PocketBase: superusers for people ({len(people)})")
        elif not email or not self.answers.admin_password:
            self.report.todo(
                "PocketBase: a superuser for people; give --admin-email and INIT_ADMIN_PASSWORD"
            )
        else:
            self.report.change(f"PocketBase: the superuser {email} for people")
            if not self.report.is_dry_run:
                await create_person(pocketbase, Person(email, self.answers.admin_password))

    async def _import_catalogue(self, settings: InitSettings) -> None:
        if self.report.is_dry_run:
            self.report.keep("Catalogue: not compared in a dry run (`gateway reconcile --dry-run`)")
            return
        found: list[Difference] = []
        async with connect(settings.read_stripe()) as connection:
            done = await Reconciliation(
                connection.pocketbase,
                connection.client,
                connection.own_account,
                connection.event_writer,
                options=Options(only=_CATALOGUE, events=False),
                pace=RateLimit(_RATE),
                watcher=Watcher(on_difference=found.append),
            ).run()
        for name, reason in {**done.report.refused, **done.report.failed}.items():
            self.report.todo(f"Catalogue: {name}: {reason}")
        _report_catalogue(found, self.report)


def _report_catalogue(found: list[Difference], report: SetupReport) -> None:
    """Print the numbers per collection; rows that Stripe does not know can't be repaired."""
    unknown = Counter(each.collection for each in found if each.kind == "missing")
    repaired = Counter(each.collection for each in found if each.kind != "missing")
    for name, number in repaired.items():
        report.change(f"Catalogue: {number} {name}")
    for name, number in unknown.items():
        report.todo(
            f"Catalogue: Stripe does not know {number} rows of {name}; they may be of another"
            " account or mode"
        )
    if not found:
        report.keep("Catalogue: as at Stripe")
