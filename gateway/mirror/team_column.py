"""A column that a team's app adds to one of the gateway's mirrored objects (`Gateway.column`)."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.json_codec import dump
from gateway.mirror.mirrored_object import MirroredObject, Projection
from gateway.mirror.team_object import as_column
from gateway.rows import Changes, Json
from gateway.source import Source
from gateway.start_error import InvalidRegistration
from gateway.vocabulary import COLLECTIONS

#: From Stripe's object to the column's value (JSON, a datetime).
TeamColumnFunction = Callable[[Json], Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TeamColumn:
    """A column and the function that fills it."""

    #: Stripe's ``object``.
    object: str
    name: str
    function: TeamColumnFunction
    source: Source


def extend_entries(
    entries: Iterable[MirroredObject], columns: Iterable[TeamColumn]
) -> dict[str, MirroredObject]:
    """Return those entries that get columns, with them, by object."""
    added = defaultdict(list)
    for column in columns:
        added[column.object].append(column)
    return {
        entry.object: replace(entry, project=_project_with(entry.project, added[entry.object]))
        for entry in entries
        if entry.object in added
    }


def _project_with(project: Projection, columns: Iterable[TeamColumn]) -> Projection:
    def project_all(body: Json, deleted: bool) -> Changes:
        changes = project(body, deleted)
        if body.get("deleted") is True:
            # Stripe's answer about a deleted object has no other fields.
            return changes
        values = {**changes.row.values, **_compute(columns, body)}
        return replace(changes, row=replace(changes.row, values=values))

    return project_all


def _compute(columns: Iterable[TeamColumn], body: Json) -> Json:
    """Return the values; without those that failed, because a purchase must still be stored."""
    values = {}
    for column in columns:
        try:
            value = as_column(column.function(body))
            dump(value)  # A value that can't be stored fails here, not the whole row.
            values[column.name] = value
        except Exception:
            _log.exception(
                "column failed",
                extra={
                    "object": column.object,
                    "column": column.name,
                    "id": body.get("id"),
                    "source": str(column.source),
                },
            )
    return values


def require_new_columns(
    columns: Iterable[TeamColumn], registry: Mapping[str, MirroredObject]
) -> None:
    """Refuse a column that the gateway fills itself, or that is declared twice.

    Args:
        registry: the gateway's entries by object.

    Raises:
        InvalidRegistration: names the column's file and line.
    """
    known: dict[tuple[str, str], TeamColumn] = {}
    for column in columns:
        entry = registry.get(column.object)
        if entry is None:
            raise InvalidRegistration(
                f"{column.source}: the gateway has no mirror of {column.object}; the columns of"
                " your own mirrors are what their functions return"
            )
        if column.name in COLLECTIONS[entry.collection]:
            raise InvalidRegistration(
                f"{column.source}: {entry.collection}.{column.name} is a column of the gateway"
            )
        if first := known.get((column.object, column.name)):
            raise InvalidRegistration(
                f"{column.source}: {entry.collection}.{column.name} is filled already, by the"
                f" function at {first.source}"
            )
        known[column.object, column.name] = column
