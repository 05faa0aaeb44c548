"""The `gateway` command: the gateway's own subcommands, and those of a team's app."""

from typing import Any

import click

from gateway.cli.backup import backup
from gateway.cli.command_app import load_command_app
from gateway.cli.connection import explain, fail, load_settings
from gateway.cli.customers import customers
from gateway.cli.dev import dev, export
from gateway.cli.doctor import doctor
from gateway.cli.events import events
from gateway.cli.init import init
from gateway.cli.new import new
from gateway.cli.openapi import openapi
from gateway.cli.reconcile import reconcile
from gateway.cli.serve import serve
from gateway.cli.transforms import transforms
from gateway.cli.users import users
from gateway.cli.work import work
from gateway.cli.worker import worker
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBaseRefused
from gateway.start_error import StartError
from gateway.version import __version__


class _Commands(click.Group):
    """Looks up the gateway's own commands, then the app's."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names; the gateway's own also if the app can't be loaded."""
        try:
            return [*super().list_commands(ctx), *self._load(ctx)]
        except StartError as error:
            click.echo(f"The app's commands are missing: {error}", err=True)
            return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the gateway or of the app."""
        if found := super().get_command(ctx, cmd_name):
            return found
        try:
            return self._load(ctx)[cmd_name]
        except StartError as error:
            fail(str(error))
        except KeyError:
            self._require_app(cmd_name)
            return None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; expected errors are printed as one sentence."""
        try:
            return super().invoke(ctx)
        except StartError as error:
            fail(str(error))
        except (GatewayError, PocketBaseRefused) as error:
            fail(explain(error))

    def _require_app(self, cmd_name: str) -> None:
        """End with a sentence if the command may be that of an app in another folder."""
        from gateway.app.loader import PlainGateway, describe_missing_app

        if isinstance(load_command_app(), PlainGateway):
            fail(f"No such command {cmd_name!r}. {describe_missing_app()}")

    def _load(self, ctx: click.Context) -> dict[str, click.Command]:
        # Imported here, because FastAPI loads slowly and the other commands don't need it.
        from gateway.app.commands import index_commands

        app = load_command_app()
        ctx.obj = lambda: load_settings(app.settings_class)
        declared = app.collect_declarations()
        return index_commands(declared.commands if declared else ())


@click.group(cls=_Commands)
@click.version_option(__version__)
def main() -> None:
    """A business-logic gateway beside PocketBase."""


main.add_command(backup)
main.add_command(dev)
main.add_command(doctor)
main.add_command(export)
main.add_command(init)
main.add_command(new)
main.add_command(serve)
main.add_command(customers)
main.add_command(events)
main.add_command(openapi)
main.add_command(reconcile)
main.add_command(transforms)
main.add_command(users)
main.add_command(work)
main.add_command(worker)
