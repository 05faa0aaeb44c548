"""``gateway transforms``: list the app's transforms, or run one on all records."""

import click

from gateway.cli.command_app import load_command_app
from gateway.cli.connection import fail
from gateway.cli.transforms_run import run_transforms
from gateway.json_codec import dump_text
from gateway.rows import Json
from gateway.start_error import StartError


@click.group()
def transforms() -> None:
    """Transforms: Python functions that direct writes to PocketBase pass through."""


transforms.add_command(run_transforms)


@transforms.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_transforms(as_json: bool) -> None:
    """List the transforms of the app (GATEWAY_APP), with the models' JSON schemas."""
    # Imported here, because FastAPI loads slowly and the other commands don't need it.
    from gateway.app.declarations import Declarations
    from gateway.transforms.description import describe_transform
    from gateway.transforms.table import Table

    try:
        declared = load_command_app().collect_declarations() or Declarations()
        table = Table.of(declared.transforms)
    except StartError as error:
        fail(str(error))
    found = [describe_transform(transform) for transform in table.transforms]
    if as_json:
        click.echo(dump_text(found, is_indented=True))
        return
    if not found:
        click.echo("There are no transforms: there is no app here, or it declares none.")
    for transform in found:
        click.echo(_show(transform))


def _show(transform: Json) -> str:
    files = ", with the contents of files" if transform["files"] else ""
    lines = [
        f"{transform['collection']}: {', '.join(transform['operations'])}",
        f"  {transform['function']}: {transform['summary']}".rstrip(": "),
        f"  at most {transform['timeout']:g} s, fails {transform['on_failure']}{files}",
    ]
    if transform["schema"]:
        schema = dump_text(transform["schema"], is_indented=True)
        lines += [f"  {line}" for line in schema.splitlines()]
    return "\n".join(lines) + "\n"
