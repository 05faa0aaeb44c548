"""``gateway new``: a new project."""

from pathlib import Path

import click

from gateway.cli.connection import fail

_NEXT = """\
Created {folder}. Next:
  cd {folder}
  gateway dev     # PocketBase, the app with reload, and a Stripe simulator
  pytest          # the project's tests, against the real services
"""


@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Create a project in FOLDER: an app with one example of each kind, its tests, and compose.

    An existing folder must be empty. The name of the folder is the project's name.
    """
    # Here, because the other commands do not need it.
    from gateway.scaffold.project import NotCreated, create_project

    try:
        files = create_project(folder.resolve())
    except NotCreated as error:
        fail(str(error))
    for file in files:
        click.echo(f"  {file.relative_to(folder.resolve())}")
    click.echo(_NEXT.format(folder=folder), nl=False)
