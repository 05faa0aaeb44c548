"""The commands of a team's app, by name."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import click

from gateway.start_error import InvalidRegistration

if TYPE_CHECKING:
    from gateway.app.declarations import TeamCommand


def index_commands(
    declared: "Iterable[TeamCommand]", taken: Collection[str]
) -> dict[str, click.Command]:
    """Return the app's commands.

    Args:
        taken: the names of our own commands.

    Raises:
        InvalidRegistration: two commands have one name.
    """
    found: dict[str, click.Command] = {}
    for each in declared:
        name = each.command.name or ""
        if name in taken or name in found:
            raise InvalidRegistration(f"{each.source}: there is a command {name} already")
        found[name] = each.command
    return found
