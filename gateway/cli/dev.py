"""``gateway dev``: everything on this machine, with reload."""

from pathlib import Path

import click

from gateway.cli.connection import fail


@click.command("dev")
@click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The folder of the app, pb_hooks, pb_migrations and pb_public.  [default: this one]",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of data, logs and secrets.  [default: .local in the project]",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings, as in .env.example.  [default: .env in the project]",
)
def dev(project: Path, folder: Path | None, env_file: Path | None) -> None:
    """Run PocketBase, the app and (without Stripe keys) the Stripe simulator.

    A saved Python file reloads the app, a changed hook or new migration restarts PocketBase. The
    logs of all parts are printed here. Ctrl-C ends everything; the data stays.
    """
    # Here, because a deployment does without these modules.
    from gateway.dev.errors import StackError
    from gateway.dev.project import Project
    from gateway.dev.run import run

    project = project.resolve()
    data = folder.resolve() if folder else project / ".local"
    try:
        run(Project(project), data, env_file or project / ".env")
    except StackError as error:
        fail(str(error))
    click.echo("All parts have ended.")


@click.command("export-pocketbase")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The folder of pb_hooks, pb_migrations and pb_public.  [default: this one]",
)
def export(folder: Path, project: Path) -> None:
    """Copy the hooks and migrations of the gateway and the project into FOLDER, for an image."""
    from gateway.dev.errors import StackError
    from gateway.dev.export import export_pocketbase
    from gateway.dev.project import Project

    try:
        export_pocketbase(Project(project.resolve()), folder.resolve())
    except StackError as error:
        fail(str(error))
